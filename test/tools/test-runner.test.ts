import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'

const folder = mkdtempSync(join(tmpdir(), 'test-runner-'))
after(() => rmSync(folder, { recursive: true }))

const skippedSuite = `
  import { describe, test } from 'node:test'
  test('runs', () => {})
  describe('needs a thing', { skip: 'install the thing' }, () => { test('in it', () => {}) })
`

const failing = `
  import { describe, test } from 'node:test'
  describe('the suite', () => { test('one', () => { throw new Error('why it failed') }) })
`

describe('npm test', () => {
  test('names what was skipped and how to get it, and passes', () => {
    const { status, stdout } = runTests('skip.test.ts', skippedSuite, {})
    assert.match(stdout, /^skipped: needs a thing \(.*skip\.test\.ts\)\n +install the thing$/m)
    assert.match(stdout, /^1 passed, 0 failed, 1 skipped$/m)
    assert.equal(status, 0)
  })

  test('fails on a skipped suite where CI=true', () => {
    const { status, stdout } = runTests('skip.test.ts', skippedSuite, { CI: 'true' })
    assert.match(stdout, /^CI=true: a skipped test is a failure\.$/m)
    assert.equal(status, 1)
  })

  test('fails with a failing test, and says at the end which and why', () => {
    const { status, stdout } = runTests('fail.test.ts', failing, {})
    const [, ending = ''] = stdout.split('failing tests:')
    assert.match(ending, /^failed: one \(.*fail\.test\.ts\)\n +Error: why it failed$/m)
    assert.doesNotMatch(ending, /^failed: the suite/m)
    assert.match(stdout, /^0 passed, 1 failed, 0 skipped$/m)
    assert.equal(status, 1)
  })

  test('fails where there is no test at all', () => {
    const { status, stderr } = runTests('other.ts', '', {}, folder)
    assert.match(stderr, /expected \*\.test\.ts in .*, got none/)
    assert.equal(status, 1)
  })
})

function runTests(name: string, source: string, env: NodeJS.ProcessEnv, path?: string) {
  const file = join(folder, name)
  writeFileSync(file, source)
  const result = spawnSync(process.execPath, ['tools/test.mjs', '--no-build', path ?? file], {
    encoding: 'utf8',
    // Without this the runner inside takes itself for a file of the runner outside.
    env: { ...process.env, CI: '', NODE_TEST_CONTEXT: undefined, ...env },
  })
  rmSync(file)
  return result
}
