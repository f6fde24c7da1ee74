// The benchmark itself: every contender answers right in every row, and the result has its shape. Never a time.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Report } from '../../bench/report.js'
import { GUNICORN, prepareDjango } from '../../tools/django/environment.js'

const script = fileURLToPath(new URL('../../tools/bench.mjs', import.meta.url))
const contenders = ['fastify-perspective', 'hand-written', 'capnweb', 'socket.io', 'birpc', 'tRPC']
/** Those without bytes, or without a call from the server. */
const unable: Readonly<Record<string, readonly string[]>> = {
  bytes: ['birpc', 'tRPC'],
  server: ['tRPC'],
}

describe('npm run bench', () => {
  test('measures every contender in every row, writes JSON and ends', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'fastify-perspective-bench-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, 'bench.json')
    const calls = ['one', 'flight', 'bursts', 'server', 'object', 'bytes', 'connections']
    const { output, report } = await measure(file, calls)
    assert.equal(report.node, process.version)
    assert.equal(report.rounds, 1)
    assert.deepEqual(
      report.rows.map(({ row }) => row),
      calls,
    )
    for (const row of report.rows) {
      const able = contenders.filter((name) => unable[row.row]?.includes(name) !== true)
      assert.deepEqual(Object.keys(row.figures), able, row.row)
      for (const name of able) {
        assert.equal(row.rounds[name]?.length, 1, `${row.row}: ${name}`)
        assert.ok(row.figures[name]! > 0, `${row.row}: ${name}`)
      }
      assert.deepEqual(Object.keys(row.ratios), able.slice(1), row.row)
      assert.equal(row.bars.length, 2, row.row)
      assert.ok(output.includes(row.title), row.row)
    }
    assert.ok(output.includes(process.version))
  })

  test('measures the plugin with users in a database, and leaves nothing running', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'fastify-perspective-bench-'))
    t.after(() => rm(folder, { recursive: true }))
    const beside: Readonly<Record<string, readonly string[]>> = {
      memory: ['bare ws', 'socket.io'],
      broadcast: ['tell in a loop', 'socket.io room'],
      'broadcast-cpu': ['tell in a loop', 'socket.io room'],
      upgrades: ['bare ws', 'ws, jose and a query', 'socket.io'],
      logins: ['crypto.pbkdf2'],
      'logins-django': ['Django under gunicorn'],
      'tickets-cookie': ['a route with one query'],
      'login-causes': ['wrong password', 'unusable password', 'inactive user'],
      storm: ['without logins'],
      'storm-calls': ['without logins'],
    }
    const bars: Readonly<Record<string, number>> = {
      'tickets-cookie': 0,
      'storm-calls': 0,
      'login-causes': 6,
    }
    const file = join(folder, 'bench.json')
    const { output, report } = await measure(file, Object.keys(beside), '--scale', '0.02')
    const isDjangoThere = 'python' in prepareDjango('5.2', [GUNICORN])
    assert.equal(output.includes('skipped: '), !isDjangoThere)
    assert.deepEqual(
      report.rows.map(({ row }) => row),
      Object.keys(beside).filter((row) => isDjangoThere || row !== 'logins-django'),
    )
    for (const row of report.rows) {
      assert.deepEqual(Object.keys(row.figures), [contenders[0], ...beside[row.row]!], row.row)
      assert.deepEqual(Object.keys(row.ratios), beside[row.row], row.row)
      for (const figures of Object.values(row.rounds)) {
        assert.ok(figures.length === 1 && Number.isFinite(figures[0]), row.row)
      }
      assert.equal(row.bars.length, bars[row.row] ?? 1, row.row)
      assert.equal(row.valueSize, null, row.row)
      assert.ok(output.includes(`${row.title} (${row.unit})`), row.row)
    }
  })

  test('refuses a row that it does not know, and says which there are', async () => {
    const { code, output } = await run('--only', 'nothing')
    assert.equal(code, 1)
    assert.match(output, /--only: expected one of one, flight, .*, got nothing/)
  })

  test('refuses a contender that it does not know', async () => {
    const { code, output } = await run('--only', 'one', '--contender', 'nobody')
    assert.equal(code, 1)
    assert.match(output, /--contender: expected one of fastify-perspective, .*, got nobody/)
  })
})

async function measure(
  file: string,
  rows: readonly string[],
  ...more: string[]
): Promise<{ output: string; report: Report }> {
  const only = rows.flatMap((row) => ['--only', row])
  const short = ['--rounds', '1', '--seconds', '0.02', '--json', file]
  const { code, output } = await run(...short, ...more, ...only)
  assert.equal(code, 0, output)
  return { output, report: JSON.parse(await readFile(file, 'utf8')) as Report }
}

async function run(...args: string[]): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [script, '--no-build', ...args])
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const [code] = (await once(child, 'close')) as [unknown]
  return { code, output }
}
