import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

/** Callbacks made anew for each call, in a process whose collector sees no other reason to run. */
const PROGRAM = `
  import { localPair } from 'fastify-perspective/broker'
  const [server, client] = localPair({ root: { take: () => undefined } })
  let most = 0
  for (let i = 0; i < 100_000; i++) {
    await client.root.take(() => i)
    most = Math.max(most, client.stats.exported)
    if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  console.log(JSON.stringify({ most, left: client.stats.exported, held: server.stats.imported }))
`

test('100 000 calls with a fresh callback each stay far below the limit of references', () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', PROGRAM],
    { encoding: 'utf8', timeout: 120_000 },
  )
  assert.equal(status, 0, stderr)
  const { most, left, held } = JSON.parse(stdout) as { most: number; left: number; held: number }
  assert.ok(most < 32_768, `${most} callbacks were held at once`)
  assert.ok(Math.abs(left - held) <= 64, `${left} lent, ${held} held`)
})
