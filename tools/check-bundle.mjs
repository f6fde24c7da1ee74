// Holds dist/client.min.js to its size, to the syntax of the browsers it is for, and to containing nothing that
// belongs on a server. Without it one import too many would send password hashing to every page.

import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { transform } from 'esbuild'
import { projectFolder } from './install.mjs'

// kB are 1000 bytes. The bar is what the client is meant to weigh with all of it, and it is not reached
// (docs/decisions.md says what it is made of); the ceiling is what it weighs, and may only be lowered.
const barGzippedBytes = 14_000
const maxGzippedBytes = 23_900

const forbidden = [
  ['fastify', /fastify/i],
  ['a node: module', /["'`]node:/],
  ['jose', /\bjose\b|JWTExpired|jwtVerify/],
  ['pg-promise', /pg-?promise/i],
  ['password hashing', /pbkdf2/i],
  ['code made from text: eval(', /\beval\s*\(/],
  ['code made from text: new Function', /\bnew\s+Function\b|[^.\w]Function\s*\(/],
  ['bytes that are not ASCII', /[^\0-\x7f]/],
]

// Older than two years, each of them; what they cannot read esbuild would have to write in another way.
const browsers = ['chrome109', 'edge109', 'firefox115', 'safari16.4', 'ios16.4']

const { name } = JSON.parse(readFileSync(`${projectFolder}package.json`, 'utf8'))
const bundle = readFileSync(`${projectFolder}dist/client.min.js`)
const gzippedBytes = gzipSync(bundle, { level: 9 }).length
const over = gzippedBytes - barGzippedBytes
const size =
  `client.min.js: ${bundle.length} bytes, ${gzippedBytes} gzipped, ceiling ${maxGzippedBytes}, ` +
  (over > 0 ? `${over} over the bar of ${barGzippedBytes}` : `bar ${barGzippedBytes} reached`)

// Our own name has one of the forbidden words in it.
const text = bundle.toString('utf8').replaceAll(name, '')
const found = forbidden.filter(([, pattern]) => pattern.test(text)).map(([what]) => what)

const [forBrowsers, asItIs] = await Promise.all(
  [browsers, 'esnext'].map((target) => transform(bundle.toString(), { target, format: 'esm' })),
)
if (forBrowsers.code !== asItIs.code) found.push(`syntax that one of ${browsers.join(', ')} lacks`)

console.log(size)
for (const what of found) console.error(`client.min.js must not contain ${what}`)
process.exitCode = found.length === 0 && gzippedBytes <= maxGzippedBytes ? 0 : 1
