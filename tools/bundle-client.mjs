// Makes dist/client.min.js, the module that the plugin serves at <prefix>/client.js, and
// dist/hashed-password.js, which that one imports when it is needed. Without them a page of a Django
// template, which has no bundler, cannot load the client.

import { readFileSync } from 'node:fs'
import { build } from 'esbuild'
import { projectFolder } from './install.mjs'

const { name, version } = JSON.parse(readFileSync(`${projectFolder}package.json`, 'utf8'))

const options = {
  absWorkingDir: projectFolder,
  bundle: true,
  format: 'esm',
  minify: true,
  // All browsers of the last two years run ES2022, and it is what the compiler writes: nothing is
  // rewritten, so private members stay private and no helper code is added.
  target: 'es2022',
  // A server that forgets `charset=utf-8` must not change what the module says.
  charset: 'ascii',
  legalComments: 'none',
  banner: { js: `/* ${name} ${version}, MIT */` },
  logLevel: 'warning',
}
await build({
  ...options,
  entryPoints: ['dist/client/index.js'],
  outfile: 'dist/client.min.js',
  external: ['./hashed-password.js'],
})
await build({
  ...options,
  entryPoints: ['dist/client/hashed-password.js'],
  outfile: 'dist/hashed-password.js',
})
