// Runs the tests: installs and builds what is missing, starts node's test runner on every test file,
// and says what was skipped and how to get it. Without it a fresh clone could not run `npm test`
// (node 20 expands no globs, and tsx is not there before `npm ci`). Only node: imports.
//
//   npm test                          everything
//   npm test -- test/broker           the files of a folder, or single files
//   npm test -- --coverage            with coverage, and its thresholds where everything is run
//   npm test -- --no-build            on the dist/ that is there
//   npm test -- --test-name-pattern=x any option of node goes to node
//
// With CI=true a skipped test is a failure.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installDependencies, projectFolder, runOrExit } from './install.mjs'

const ownOptions = new Set(['--coverage', '--no-build'])
const args = process.argv.slice(2)
const paths = args.filter((arg) => !arg.startsWith('-'))
const nodeOptions = args.filter((arg) => arg.startsWith('-') && !ownOptions.has(arg))

process.chdir(projectFolder)
installDependencies()
if (!args.includes('--no-build')) runOrExit('npm', ['run', '--silent', 'build'])

const files = (paths.length === 0 ? ['test'] : paths).flatMap(listTestFiles)
if (files.length === 0) {
  console.error(`No test file: expected *.test.ts in ${paths.join(', ') || 'test'}, got none.`)
  process.exit(1)
}

if (files.some((file) => readFileSync(file, 'utf8').includes('/real-django.js'))) {
  runOrExit(process.execPath, ['--import', 'tsx', 'tools/django/prepare.ts'])
}

const summaryFolder = mkdtempSync(join(tmpdir(), 'fastify-perspective-test-'))
const summaryFile = join(summaryFolder, 'summary.jsonl')
console.log(`Node ${process.version}: ${files.length} test files`)
const result = spawnSync(process.execPath, [...makeCoverageArgs(), ...makeRunnerArgs()], {
  stdio: 'inherit',
})
if (result.error) console.error(result.error.message)
const { skipped, failures, counts } = readSummary()
rmSync(summaryFolder, { recursive: true })

for (const { name, file, reason } of skipped) {
  console.log(`skipped: ${name} (${file})${reason === '' ? '' : `\n         ${reason}`}`)
}
for (const { name, file, reason } of failures) {
  console.log(`failed: ${name} (${file})\n${reason.replace(/^/gm, '        ')}`)
}
const isSkipFailure = skipped.length > 0 && process.env.CI === 'true'
if (isSkipFailure) console.log('CI=true: a skipped test is a failure.')
const passed = counts.pass ?? 0
const failed = (counts.fail ?? 0) + (counts.cancelled ?? 0)
console.log(`Node ${process.version}:`)
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`)
process.exitCode = result.status === 0 && isSkipFailure ? 1 : (result.status ?? 1)

function makeRunnerArgs() {
  return [
    ...['--import', 'tsx', '--test', '--test-concurrency=2'],
    // A file that hangs fails, instead of holding the whole run.
    '--test-timeout=180000',
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=./tools/test-summary.mjs', `--test-reporter-destination=${summaryFile}`],
    ...nodeOptions,
    ...files,
  ]
}

function makeCoverageArgs() {
  if (!args.includes('--coverage')) return []
  const check = paths.length === 0 && nodeOptions.length === 0 ? [] : ['--check-coverage=false']
  return ['node_modules/c8/bin/c8.js', ...check, process.execPath]
}

/**
 * @param {string} path - A file, taken as it is, or a folder.
 * @returns {string[]} Sorted paths, relative to the project's folder.
 */
function listTestFiles(path) {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(path, file))
    .sort()
}

function readSummary() {
  const summary = { skipped: [], failures: [], counts: {} }
  if (!existsSync(summaryFile)) return summary
  for (const line of readFileSync(summaryFile, 'utf8').split('\n').filter(Boolean)) {
    const entry = JSON.parse(line)
    if (entry.skipped) summary.skipped.push(entry.skipped)
    if (entry.failed) summary.failures.push(entry.failed)
    if (entry.counts) summary.counts = entry.counts
  }
  return summary
}
