// Keeps the sources readable elsewhere: no file too long to hold in the head, no path of the machine
// it was written on, no registry's address in the lockfile. Without it all three creep in unseen.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { projectFolder } from './install.mjs'

const maxLines = 300
const longFileRooms = /^(broker|client|plugin)\/.*\.ts$/
const binaryFile = /\.(png|ico|gz|woff2?)$/

const forbidden = [
  ['a path of one machine', /(?<![\w.*])\/(?:work|home|root|Users)\/\w/],
  ['a path of one machine', /(?<![\w.*])\/tmp\/\w/],
  ['a registry of packages by its address', /https?:\/\/(?:registry|pypi)\./],
]

const git = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
const files = execFileSync('git', git, { cwd: projectFolder, encoding: 'utf8' })
  .split('\0')
  .filter((file) => file !== '' && !binaryFile.test(file))

const problems = []
let longest = { file: '', lines: 0 }
for (const file of files) {
  let text
  try {
    text = readFileSync(`${projectFolder}${file}`, 'utf8')
  } catch {
    continue // deleted, but not yet in a commit
  }
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    for (const [what, pattern] of forbidden) {
      if (pattern.test(line))
        problems.push(`${file}:${index + 1}: ${what}: ${line.trim().slice(0, 120)}`)
    }
  }
  const count = lines.length - 1
  if (!longFileRooms.test(file)) continue
  if (count > longest.lines) longest = { file, lines: count }
  if (count > maxLines) problems.push(`${file}: expected at most ${maxLines} lines, got ${count}`)
}
for (const problem of problems) console.error(problem)
console.log(`${files.length} files; longest source: ${longest.file}, ${longest.lines} lines`)
process.exitCode = problems.length === 0 ? 0 : 1
