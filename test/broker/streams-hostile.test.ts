import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Broker, Limits, RemoteStream } from 'fastify-perspective/broker'
import { assertAlive, assertBreach, withHostile } from './settled.js'
import { Source } from './source.js'

interface Feed {
  feed(): AsyncIterable<unknown>
}

const [CHUNK, END, FAIL, CREDIT, STOP] = [9, 10, 11, 12, 13]

const feeding = (feed: () => unknown, limits: Partial<Limits> = {}) => ({ root: { feed }, limits })

describe('a hostile peer', () => {
  /** Streams to the peer, and has one from it that was granted a window of 100 bytes. */
  const hostile = (
    run: (
      say: (...messages: unknown[]) => Promise<void>,
      broker: Broker,
      stream: RemoteStream<unknown>,
    ) => Promise<void>,
  ): Promise<void> =>
    withHostile<Feed>(
      { ...feeding(() => new Source()), limits: { streamWindowBytes: 100 } },
      async ({ broker, say, heard }) => {
        await say([0, 1], [1, 1, 0, 'feed', []])
        assert.equal(heard.of(3).length, 1)
        const answer = broker.root.feed()
        await turn()
        await say([19, 1, ['$t', 1], 0])
        const stream = await answer
        const first = stream.next()
        await turn()
        assert.deepEqual(heard.of(CREDIT), [[CREDIT, 1, 100]])
        await say([CHUNK, 1, 'first'])
        assert.equal((await first).value, 'first')
        await run(say, broker, stream)
        if (broker.stats.streams > 0) broker.close()
      },
    )

  for (const [name, message] of [
    ['a chunk of a stream never introduced', [CHUNK, 2, 1]],
    ['the end of one', [END, 2]],
    ['the failure of one', [FAIL, 2, 'X', 'x']],
    ['credit for one', [CREDIT, 2, 1]],
    ['the stop of one', [STOP, 2]],
    ['a chunk without a value', [CHUNK, 1]],
    ['an id of a stream used again', [17, 2, 0, 'feed', [['$t', 1]], 0]],
    ['no credit', [CREDIT, 1, 0]],
    ['negative credit', [CREDIT, 1, -5]],
    ['half a byte of credit', [CREDIT, 1, 0.5]],
    ['text as credit', [CREDIT, 1, '9']],
    ['a stream without an id', [17, 2, 0, 'feed', [['$t']], 0]],
    ['a stream with id 0', [17, 2, 0, 'feed', [['$t', 0]], 0]],
  ] as const) {
    test(`${name} is a breach`, () =>
      hostile(async (say, broker) => {
        await say(message)
        await assertBreach(broker, /stream|tag|form/)
      }))
  }

  test('credit that adds up to more than a number can hold is a breach', () =>
    hostile(async (say, broker) => {
      await say([STOP, 1], [1, 2, 0, 'feed', []])
      await say([CREDIT, 2, Number.MAX_SAFE_INTEGER], [CREDIT, 2, Number.MAX_SAFE_INTEGER])
      await assertBreach(broker, /credit/)
    }))

  test('credit without bounds does not let one stream starve everything else', () => {
    const source = new Source()
    return withHostile<Feed>(
      feeding(() => source, { streamWindowBytes: 800 }),
      async ({ broker, say }) => {
        await say([1, 1, 0, 'feed', []])
        await say([CREDIT, 1, Number.MAX_SAFE_INTEGER])
        // A number costs 8 bytes: about a window a turn, however much was granted.
        assert.ok(source.produced < 500, `${source.produced} values in one turn`)
        broker.close()
      },
    )
  })

  test('a chunk that was not granted is a breach', () =>
    hostile(async (say, broker) => {
      // The window is 100 bytes, "first" has used 7; what makes it negative may still come.
      await say([CHUNK, 1, 'x'.repeat(200)])
      await assertAlive(broker)
      await say([CHUNK, 1, 1])
      await assertBreach(broker, /granted/)
    }))

  test('a chunk before any was granted is a breach', () =>
    hostile(async (say, broker) => {
      await say([17, 2, 0, 'feed', [['$t', 2]], 0])
      await say([CHUNK, 2, 1])
      await assertBreach(broker, /granted/)
    }))

  test('what comes after the end is ignored, and so is a second end or stop', () =>
    hostile(async (say, broker, stream) => {
      await say([END, 1], [END, 1], [CHUNK, 1, 5], [FAIL, 1, 'LATE', 'late'])
      assert.equal((await stream.next()).done, true)
      await say([STOP, 1], [STOP, 1], [CREDIT, 1, 5])
      await assertAlive(broker)
      assert.equal(broker.stats.streams, 0)
    }))
})
