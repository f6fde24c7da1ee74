// Lists that hold one another twice double with each level: a few dozen make more than any memory holds.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { localPair, reference } from 'fastify-perspective/broker'

interface Api {
  pair(left: unknown, right: unknown): unknown
  keep(value: unknown): number
}
const root = reference({
  pair: (left: unknown, right: unknown) => [left, right],
  keep: () => 1,
} as never)

function doubled(levels: number, first: unknown): unknown {
  let value = first
  for (let level = 0; level < levels; level++) value = [value, value]
  return value
}

describe('P84: a value that doubles with each level', () => {
  test('made of results of one tick by a peer is an error to the calls that get too large', async () => {
    const [left] = localPair<object, Api>({}, { root })
    let last: Promise<unknown> & { at?: unknown } = left.root.pair(1, 2)
    const calls = [last]
    for (let level = 0; level < 50; level++) {
      last = left.root.pair(last, last)
      calls.push(last)
    }
    const settled = await Promise.allSettled(calls)
    assert.equal(settled[5]!.status, 'fulfilled')
    for (const late of [settled[25]!, settled[50]!]) {
      const reason = (late as PromiseRejectedResult).reason as { code: string }
      assert.equal(reason.code, 'PB_ERR_LIMIT_FRAME')
    }
    assert.equal(await left.root.keep(0), 1)
    left.close()
  })

  test('is refused at the sender, plain or with tags in it', async () => {
    const [left] = localPair<object, Api>({}, { root })
    for (const value of [doubled(50, 1), doubled(50, new Date(0)), doubled(50, { a: 1 })]) {
      await assert.rejects(left.root.keep(value), { code: 'PB_ERR_LIMIT_FRAME' })
    }
    assert.equal(await left.root.keep(doubled(10, 1)), 1)
    left.close()
  })
})
