// Holds the tests to the behaviours that the project has set itself: those of Twisted's Perspective Broker (T1 to T79, and O1
// to O19, the better outcomes) and of the other reference RPC systems (P1 to P85). Each is named in the title of a test, or in
// docs/decisions.md, which says why not. Without it a behaviour would get lost and nobody would notice.

import { readFileSync, readdirSync } from 'node:fs'
import { projectFolder } from './install.mjs'

const families = { T: 79, O: 19, P: 85 }
const numberPattern = /\b([TOP])(\d{1,2})(?:–([TOP])?(\d{1,2}))?\b/g
const titlePattern =
  /\b(?:test|describe|it)\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`([^`]*)`)/g

const named = new Set()
for (const file of readdirSync(`${projectFolder}test`, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.ts')) continue
  const source = readFileSync(`${projectFolder}test/${file}`, 'utf8')
  for (const [, single, double, template] of source.matchAll(titlePattern)) {
    addNumbers(single ?? double ?? template)
  }
}
const tested = new Set(named)
addNumbers(readFileSync(`${projectFolder}docs/decisions.md`, 'utf8'))

const missing = Object.entries(families).flatMap(([family, last]) =>
  Array.from({ length: last }, (_, index) => `${family}${index + 1}`).filter(
    (number) => !named.has(number),
  ),
)
console.log(`${tested.size} behaviours named by tests, ${named.size - tested.size} by decisions`)
if (missing.length > 0) console.error(`neither tested nor decided against: ${missing.join(', ')}`)
process.exitCode = missing.length === 0 ? 0 : 1

/** `T12`, and `T12–15` or `T12–T15` for several. */
function addNumbers(text) {
  for (const [, family, first, , last] of text.matchAll(numberPattern)) {
    for (let number = Number(first); number <= Number(last ?? first); number++) {
      named.add(`${family}${number}`)
    }
  }
}
