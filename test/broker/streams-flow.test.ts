import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Limits, RemoteStream } from 'fastify-perspective/broker'
import { until, withPair } from './settled.js'
import { Source } from './source.js'

interface Feed {
  feed(): AsyncIterable<unknown>
}

const KILOBYTE = 'x'.repeat(1022)

class Texts extends Source {
  override async *[Symbol.asyncIterator](): AsyncGenerator {
    for (;;) {
      this.produced += 1
      yield KILOBYTE
    }
  }
}

const feeding = (feed: () => unknown, limits: Partial<Limits> = {}) => ({ root: { feed }, limits })

describe('the flow of a stream', () => {
  test('nothing is produced before the first read', () => {
    const source = new Source()
    return withPair<Feed>(
      feeding(() => source),
      {},
      async ({ root }) => {
        const stream = await root.feed()
        await turn()
        assert.equal(source.produced, 0)
        assert.equal((await stream.next()).value, 0)
        await stream.cancel()
      },
    )
  })

  test('a producer stalls after one window, and goes on as it is read (P76)', () => {
    const source = new Texts()
    return withPair<Feed>(
      feeding(() => source),
      { limits: { streamWindowBytes: 8 * 1024 } },
      async ({ root }) => {
        const stream = await root.feed()
        await stream.next()
        for (let i = 0; i < 20; i++) await turn()
        const stalledAt = source.produced
        assert.ok(stalledAt >= 8 && stalledAt <= 10, `stalled after ${stalledAt} kB of 8`)
        for (let i = 0; i < 8; i++) await stream.next()
        for (let i = 0; i < 20; i++) await turn()
        assert.ok(source.produced >= stalledAt + 4, 'it went on')
        assert.ok(source.produced <= stalledAt + 9, `and stalled again, at ${source.produced}`)
        await stream.cancel()
      },
    )
  })

  test('a window smaller than a chunk lets one chunk through at a time', () => {
    const source = new Texts()
    return withPair<Feed>(
      feeding(() => source),
      { limits: { streamWindowBytes: 1 } },
      async ({ root }) => {
        const stream = await root.feed()
        for (let i = 1; i <= 5; i++) {
          await stream.next()
          await turn()
          assert.ok(source.produced <= i + 1)
        }
        await stream.cancel()
      },
    )
  })

  test('a slow reader stalls its own stream and no other', () =>
    withPair<Feed & { echo(n: number): number }>(
      { root: { feed: () => new Texts(), echo: (n: number) => n } },
      {},
      async ({ root }) => {
        const [slow, fast] = await Promise.all([root.feed(), root.feed()])
        await slow.next()
        for (let i = 0; i < 300; i++) assert.equal((await fast.next()).value, KILOBYTE)
        assert.equal(await root.echo(5), 5)
        await slow.cancel()
        await fast.cancel()
      },
    ))

  test('reads that wait together get the values in order', () =>
    withPair<Feed>(
      feeding(() => new Source()),
      {},
      async ({ root }) => {
        const stream = await root.feed()
        const reads = await Promise.all(Array.from({ length: 100 }, () => stream.next()))
        assert.deepEqual(
          reads.map(({ value }) => value as number),
          Array.from({ length: 100 }, (_, index) => index),
        )
        await stream.cancel()
      },
    ))

  test('chunks of one tick share frames (P78)', () =>
    withPair<Feed>(
      feeding(async function* () {
        for (let n = 0; n < 1000; n++) yield n
      }),
      {},
      async ({ root, byServer }) => {
        let read = 0
        for await (const n of root.feed()) assert.equal(n, read++)
        assert.equal(read, 1000)
        assert.ok(byServer.frames.length < 50, `${byServer.frames.length} frames for 1000 chunks`)
      },
    ))
})

describe('a stream whose connection ends', () => {
  test('rejects its reader, runs the finally of its producer, and gives what had come (P77)', () => {
    const source = new Source()
    let stream: RemoteStream<unknown>
    return withPair<Feed>(
      feeding(() => source),
      {},
      async ({ root, server, client }) => {
        stream = await root.feed()
        assert.equal((await stream.next()).value, 0)
        await turn()
        server.close(4440, 'kicked')
        await client.closed
        assert.equal((await stream.next()).value, 1)
        const lost = { name: 'ConnectionLostError', outcome: 'unknown' }
        await assert.rejects(async () => {
          for (;;) if ((await stream.next()).done === true) break
        }, lost)
        assert.equal((await stream.next()).done, true)
        await until(() => source.cleanups === 1, 'the finally of the producer')
      },
    )
  })

  test('rejects reads that wait', () =>
    withPair<Feed>(
      feeding(() => new ReadableStream()),
      {},
      async ({ root, client }) => {
        const waiting = (await root.feed()).next()
        await turn()
        client.close()
        await assert.rejects(waiting, { code: 'PB_ERR_CONNECTION_LOST' })
      },
    ))
})

describe('a chunk that cannot cross', () => {
  async function failure(stream: AsyncIterable<unknown>): Promise<{ code: string; seen: number }> {
    let seen = 0
    try {
      for await (const item of stream) seen += item === undefined ? 0 : 1
    } catch (error) {
      return { code: (error as { code: string }).code, seen }
    }
    return assert.fail('the stream ended as if it were complete')
  }

  for (const [name, chunk, limits, code] of [
    ['unsendable', Symbol('no'), {}, 'PB_ERR_CALL_FAILED'],
    [
      'longer than a frame of the sender',
      'x'.repeat(5000),
      { maxFrameBytes: 4096 },
      'PB_ERR_LIMIT_FRAME',
    ],
  ] as const) {
    test(`ends the stream with an error, after those before it: ${name}`, () => {
      const source = new Source(chunk)
      async function* items(): AsyncGenerator {
        yield* [1, 2]
        yield* source
      }
      return withPair<Feed>(feeding(items, limits), {}, async ({ root, server }) => {
        assert.deepEqual(await failure(root.feed()), { code, seen: 2 })
        assert.equal(source.cleanups, 1)
        assert.equal(server.stats.streams, 0)
      })
    })
  }

  test('ends the stream with an error where only the receiver refuses it', () => {
    const source = new Source([[[[[]]]]])
    async function* items(): AsyncGenerator {
      yield* [1, 2]
      yield* source
    }
    return withPair<Feed>(feeding(items), { limits: { maxDepth: 4 } }, async ({ root }) => {
      assert.deepEqual(await failure(root.feed()), { code: 'PB_ERR_LIMIT_VALUE', seen: 2 })
      await until(() => source.cleanups === 1, 'the finally of the producer')
    })
  })
})

describe('maxStreams', () => {
  for (const [who, client, server] of [
    ['reader', { maxStreams: 3 }, {}],
    ['producer', {}, { maxStreams: 3 }],
  ] as const) {
    test(`is a limit of the ${who}: at it all are there, one past it is refused, and nothing stays`, () => {
      const sources: Source[] = []
      const feed = (): Source => sources[sources.push(new Source()) - 1]!
      return withPair<Feed>(
        feeding(feed, server),
        { limits: client },
        async ({ root, client, server }) => {
          const open = await Promise.all([root.feed(), root.feed(), root.feed()])
          await assert.rejects(root.feed(), { code: 'PB_ERR_LIMIT_STREAMS' })
          await turn()
          assert.deepEqual([client.stats.streams, server.stats.streams], [3, 3])
          await open[0].cancel()
          await turn()
          const fourth = await root.feed()
          assert.equal((await fourth.next()).value, 0)
          for (const stream of [...open, fourth]) await stream.cancel()
          await turn()
          assert.deepEqual([client.stats.streams, server.stats.streams], [0, 0])
        },
      )
    })
  }
})
