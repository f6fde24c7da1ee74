// Holds docs/SECURITY.md to the tests: each that its table names is there, each of test/attacks/ is named. Without it the
// table would go on promising what nothing shows any more.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { projectFolder } from './install.mjs'

const rowPattern = /`(test\/[\w/.-]+\.test\.ts)`: "([^"]+)"/g
const titlePattern = /\btest\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`([^`]*)`)/g

const named = []
for (const [, file, words] of readFileSync(`${projectFolder}docs/SECURITY.md`, 'utf8').matchAll(
  rowPattern,
)) {
  named.push({ file, words })
}
const problems = []
for (const { file, words } of named) {
  if (!titlesOf(file).some((title) => title.includes(words))) {
    problems.push(`docs/SECURITY.md: no test of ${file} has "${words}" in its title`)
  }
}
for (const entry of readdirSync(`${projectFolder}test/attacks`)) {
  if (!entry.endsWith('.test.ts')) continue
  const file = `test/attacks/${entry}`
  for (const title of titlesOf(file)) {
    const isNamed = named.some((row) => row.file === file && title.includes(row.words))
    if (!isNamed) problems.push(`${file}: "${title}" is in no row of docs/SECURITY.md`)
  }
}
for (const problem of problems) console.error(problem)
console.log(`${named.length} tests named in docs/SECURITY.md`)
process.exitCode = problems.length === 0 ? 0 : 1

function titlesOf(file) {
  if (!existsSync(projectFolder + file)) return []
  return [...readFileSync(projectFolder + file, 'utf8').matchAll(titlePattern)].map(
    ([, single, double, template]) => (single ?? double ?? template).replace(/\\(['"])/g, '$1'),
  )
}
