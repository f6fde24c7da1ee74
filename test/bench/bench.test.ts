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

const script = fileURLToPath(new URL('../../tools/bench.mjs', import.meta.url))
const contenders = ['fastify-perspective', 'hand-written', 'capnweb', 'socket.io', 'birpc', 'tRPC']
/** Those without bytes, or without a call from the server. */
const unable: Readonly<Record<string, readonly string[]>> = {
  bytes: ['hand-written', 'birpc', 'tRPC'],
  server: ['tRPC'],
}

describe('npm run bench', () => {
  test('measures every contender in every row, writes JSON and ends', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'fastify-perspective-bench-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, 'bench.json')
    const { code, output } = await run('--rounds', '1', '--seconds', '0.02', '--json', file)
    assert.equal(code, 0, output)
    const report = JSON.parse(await readFile(file, 'utf8')) as Report
    assert.equal(report.node, process.version)
    assert.equal(report.rounds, 1)
    assert.deepEqual(
      report.rows.map(({ row }) => row),
      ['one', 'flight', 'bursts', 'server', 'object', 'bytes', 'connections'],
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

async function run(...args: string[]): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [script, '--no-build', ...args])
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const [code] = (await once(child, 'close')) as [unknown]
  return { code, output }
}
