// Compares the error codes of the sources with the rows of docs/ERRORS.md, both ways. Without it a
// code would reach a user who finds no word about it, or a row would describe what never happens.

import { readFileSync, readdirSync } from 'node:fs'
import { projectFolder } from './install.mjs'

const codePattern = /\bPB_ERR_[A-Z]+(?:_[A-Z0-9]+)+\b/g

const thrown = new Map()
for (const room of ['broker', 'client', 'plugin']) {
  const files = readdirSync(`${projectFolder}${room}`, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((path) => path.endsWith('.ts'))) {
    const source = readFileSync(`${projectFolder}${room}/${file}`, 'utf8')
    for (const [code] of source.matchAll(codePattern)) thrown.set(code, `${room}/${file}`)
  }
}

const rows = []
for (const line of readFileSync(`${projectFolder}docs/ERRORS.md`, 'utf8').split('\n')) {
  const cells = line.match(/^\|\s*`?(PB_ERR_\w+)`?\s*\|(.*)\|\s*$/)
  if (!cells) continue
  rows.push({ code: cells[1], isWhole: cells[2].split('|').every((cell) => cell.trim() !== '') })
}
const documented = rows.map(({ code }) => code)

const problems = [
  ...[...thrown]
    .filter(([code]) => !documented.includes(code))
    .map(([code, file]) => `${code} (${file}): expected a row in docs/ERRORS.md, got none`),
  ...documented
    .filter((code) => !thrown.has(code))
    .map((code) => `${code}: in docs/ERRORS.md, but no source names it`),
  ...documented
    .filter((code, index) => documented.indexOf(code) !== index)
    .map((code) => `${code}: expected one row in docs/ERRORS.md, got more`),
  ...rows
    .filter(({ isWhole }) => !isWhole)
    .map(({ code }) => `${code}: expected every cell of its row filled, got an empty one`),
]
for (const problem of problems) console.error(problem)
console.log(`${thrown.size} codes in the sources, ${documented.length} rows in docs/ERRORS.md`)
process.exitCode = problems.length === 0 ? 0 : 1
