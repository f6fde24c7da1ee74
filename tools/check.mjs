// Runs everything that must hold besides the tests, and says of each in one line how it went.
// Without it a wrong import, a leaked word or a page that grows would be found by a user.
//
//   npm run check                  everything
//   npm run check -- lint bundle   some of it

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { installDependencies, projectFolder } from './install.mjs'

// The build comes first: the rooms see each other, and the tests see the package, through dist/.
const checks = [
  ['types', 'tsc', ['-b']],
  ['test types', 'tsc', ['-p', 'tsconfig.test.json']],
  ['format', 'prettier', ['--check', '--log-level=warn', '.']],
  ['lint', 'eslint', ['--max-warnings=0', '.']],
  ['type tests', 'tstyche', []],
  ['publint', 'publint', ['--strict']],
  ['attw', 'attw', ['--pack', '.', '--profile', 'esm-only', '--no-emoji']],
  ['bundle', process.execPath, ['tools/check-bundle.mjs']],
  ['errors', process.execPath, ['tools/check-errors.mjs']],
  ['behaviours', process.execPath, ['tools/check-behaviours.mjs']],
  ['reference', process.execPath, ['tools/reference.mjs', '--check']],
  ['links', process.execPath, ['tools/check-links.mjs']],
  ['attacks', process.execPath, ['tools/check-attacks.mjs']],
  ['sources', process.execPath, ['tools/check-sources.mjs']],
]

process.chdir(projectFolder)
installDependencies()
const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !checks.some(([known]) => known === name))
if (unknown.length > 0) {
  console.error(`Expected some of ${checks.map(([name]) => name).join(', ')}, got ${unknown}`)
  process.exit(1)
}
const failed = checks
  .filter(([name]) => chosen.length === 0 || chosen.includes(name))
  .filter((check) => !runCheck(check))
  .map(([name]) => name)
console.log(failed.length === 0 ? 'check: all well' : `check: failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1

/** Runs one check; prints its verdict, its own last line where it is ours, and all it said where it failed. */
function runCheck([name, command, args]) {
  const start = performance.now()
  const isOurs = command === process.execPath
  const result = spawnSync(isOurs ? command : join('node_modules', '.bin', command), args, {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    // The programs of packages are .cmd files on Windows, which only a shell can start.
    shell: process.platform === 'win32' && !isOurs,
    maxBuffer: 64 * 1024 * 1024,
  })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const isGood = result.status === 0
  const said = isGood && isOurs ? result.stdout.trim() : ''
  console.log(
    `${isGood ? 'ok    ' : 'FAILED'} ${name.padEnd(10)} ${seconds.padStart(5)} s  ${said}`,
  )
  if (!isGood) console.log([result.error?.message, result.stdout, result.stderr].join('\n').trim())
  return isGood
}
