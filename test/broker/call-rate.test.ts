import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { tell } from 'fastify-perspective/broker'
import { withPair } from './settled.js'

interface Api {
  count(): number
}
const REFUSED = { code: 'PB_ERR_LIMIT_CALL_RATE' }
let now = 1_000_000
const later = (ms: number): void => void (now += ms)

describe('maxCallsPerSecond', () => {
  const limited = (
    run: (call: () => Promise<number>, tellIt: () => void, count: () => number) => unknown,
  ) => {
    let count = 0
    const clock = mock.method(Date, 'now', () => now)
    return withPair<Api>(
      { root: { count: () => ++count }, limits: { maxCallsPerSecond: 10 } },
      {},
      ({ root }) =>
        run(
          () => root.count(),
          () => tell(root).count(),
          () => count,
        ),
    ).finally(() => clock.mock.restore())
  }
  const times = async (n: number, call: () => Promise<number>): Promise<void> => {
    for (let i = 0; i < n; i++) await call()
  }

  test('at the limit all are served, one past it is refused, and the next second serves again (P84)', () =>
    limited(async (call) => {
      await times(10, call)
      await assert.rejects(call(), REFUSED)
      later(999)
      await assert.rejects(call(), REFUSED)
      later(1)
      await times(10, call)
      await assert.rejects(call(), REFUSED)
    }))

  test('counts calls in one tick, and those without an answer', () =>
    limited(async (call, tellIt, count) => {
      for (let i = 0; i < 5; i++) tellIt()
      const results = await Promise.allSettled(Array.from({ length: 6 }, call))
      assert.deepEqual(
        results.map(({ status }) => status),
        [...Array.from({ length: 5 }, () => 'fulfilled'), 'rejected'],
      )
      tellIt()
      await turn()
      assert.equal(count(), 10)
    }))

  test('a clock that is set back locks nobody out', () =>
    limited(async (call) => {
      await times(10, call)
      later(-3_600_000)
      await times(10, call)
      await assert.rejects(call(), REFUSED)
    }))
})
