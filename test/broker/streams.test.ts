import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  RemoteError,
  Referenceable,
  type Remote,
  type RemoteMethods,
  type RemoteStream,
} from 'fastify-perspective/broker'
import { collect, until, withPair } from './settled.js'

class Bell extends Referenceable {
  static readonly remote: RemoteMethods<Bell> = { ring: true }
  ring(): string {
    return 'ding'
  }
}

interface Feed {
  feed(): AsyncIterable<unknown>
  sum(numbers: AsyncIterable<number>): number
}

async function* count(to: number): AsyncGenerator<number> {
  for (let n = 0; n < to; n++) yield n
}

async function read<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

/** A server whose feed is what a function makes. */
const feeding = (feed: () => unknown) => ({ root: { feed } })

describe('a stream as a result', () => {
  const sources: [string, () => unknown][] = [
    ['an async generator', () => count(3)],
    ['an async iterable', () => ({ [Symbol.asyncIterator]: () => count(3) })],
    ['a ReadableStream', () => readable(count(3))],
    ['the promise of one', async () => count(3)],
    ['an iterator without return', () => ({ [Symbol.asyncIterator]: () => onlyNext(3) })],
  ]
  for (const [name, source] of sources) {
    test(`is read to its end: ${name} (P74, T20, T21, T23, T24)`, () =>
      withPair<Feed>(feeding(source), {}, async ({ root }) => {
        const stream = await root.feed()
        assert.deepEqual(await read(stream), [0, 1, 2])
        assert.deepEqual(await stream.next(), { done: true, value: undefined })
      }))
  }

  test('that is empty ends at the first read (T22)', () =>
    withPair<Feed>(
      feeding(() => count(0)),
      {},
      async ({ root }) => assert.deepEqual(await read(await root.feed()), []),
    ))

  test('is iterated as the call itself, without an inner await', () =>
    withPair<Feed>(
      feeding(() => count(3)),
      {},
      async ({ root }) => {
        const seen: unknown[] = []
        for await (const item of root.feed()) seen.push(item)
        assert.deepEqual(seen, [0, 1, 2])
      },
    ))

  test('is told to stop when such a loop is left early', () => {
    const source = watched(1e6)
    return withPair<Feed>(
      feeding(() => source.items),
      {},
      async ({ root, server }) => {
        for await (const item of root.feed()) if (item === 2) break
        await until(() => source.cleanups === 1, 'the finally of the producer')
        assert.equal(server.stats.streams, 0)
      },
    )
  })

  test('a call that answers no stream rejects where it is iterated', () =>
    withPair<Feed>(
      feeding(() => 7),
      {},
      async ({ root }) => {
        await assert.rejects(read(root.feed()), TypeError)
      },
    ))

  test('an error of the call is the error of the loop', () =>
    withPair<Feed>(
      feeding(() => {
        throw new RemoteError('NO_FEED', 'none today')
      }),
      {},
      async ({ root }) => {
        await assert.rejects(read(root.feed()), { code: 'NO_FEED' })
      },
    ))

  test('carries whatever can cross, in order, references too (P73)', () => {
    const bell = new Bell()
    const chunks = [
      undefined,
      null,
      -0,
      'text',
      ['$d', 5],
      new Date(5),
      new Map([[1, new Set(['a'])]]),
      Uint8Array.of(1, 2, 3),
      { deep: { ref: bell } },
      12345678901234567890n,
    ]
    async function* items(): AsyncGenerator {
      yield* chunks
      yield bell
      yield () => 'called'
      yield count(2)
    }
    return withPair<Feed>(feeding(items), {}, async ({ root }) => {
      const seen = await read(await root.feed())
      const [ring, call, inner] = seen.slice(-3) as [
        Remote<Bell>,
        () => unknown,
        RemoteStream<number>,
      ]
      assert.equal((seen[8] as { deep: { ref: unknown } }).deep.ref, ring)
      assert.deepEqual(seen.slice(0, 8).concat(seen[9]), chunks.slice(0, 8).concat(chunks[9]))
      assert.equal(await ring.ring(), 'ding')
      assert.equal(await call(), 'called')
      assert.deepEqual(await read(inner), [0, 1])
    })
  })

  test('twice at once: each reader has its own (P32)', () =>
    withPair<Feed>(
      feeding(() => count(50)),
      {},
      async ({ root }) => {
        const [one, two] = await Promise.all([read(root.feed()), read(root.feed())])
        assert.deepEqual(one, two)
        assert.equal(one.length, 50)
      },
    ))
})

describe('a stream as an argument', () => {
  const sum = async (numbers: AsyncIterable<number>): Promise<number> => {
    let total = 0
    for await (const n of numbers) total += n
    return total
  }
  for (const [name, source] of [
    ['an async generator', () => count(5)],
    ['a ReadableStream', () => readable(count(5))],
  ] as const) {
    test(`is read by the method: ${name}`, () =>
      withPair<Feed>({ root: { sum } }, {}, async ({ root }) => {
        assert.equal(await root.sum(source()), 10)
      }))
  }

  test('that came by this connection goes back by it', () =>
    withPair<Feed>({ root: { sum, feed: () => count(5) } }, {}, async ({ root }) => {
      assert.equal(await root.sum((await root.feed()) as AsyncIterable<number>), 10)
    }))

  test('of a call that is refused does not stay, and its source is cleaned up', () => {
    const source = watched(5)
    return withPair<Feed & { none(items: unknown): void }>(
      feeding(() => undefined),
      {},
      async ({ root, client }) => {
        await assert.rejects(root.none(source.items), { code: 'PB_ERR_CALL_UNKNOWN_METHOD' })
        for (let i = 0; client.stats.streams > 0 && i < 20; i++) await collect()
        assert.equal(client.stats.streams, 0)
      },
    )
  })

  test('of a call that cannot be sent does not stay', () => {
    const source = watched(5)
    return withPair<{ both(a: unknown, b: unknown): void }>(
      { root: { both: () => undefined } },
      {},
      async ({ root, client }) => {
        await assert.rejects(root.both(source.items, Symbol('no')), {
          code: 'PB_ERR_CALL_UNSENDABLE',
        })
        assert.equal(client.stats.streams, 0)
      },
    )
  })

  test('in a property of an error that cannot cross does not stay (P54)', () =>
    withPair<{ take(error: unknown): string[] }>(
      { root: { take: (error: Error) => Object.keys(error) } },
      {},
      async ({ root, client }) => {
        const error = Object.assign(new Error('x'), { bad: [count(2), Symbol('no')], good: 1 })
        assert.deepEqual(await root.take(error), ['good'])
        assert.equal(client.stats.streams, 0)
      },
    ))

  test('a promise within an argument is no stream (P63)', () =>
    withPair<Feed & { take(value: unknown): void }>(
      { root: { feed: () => count(2), take: () => undefined } },
      {},
      async ({ root }) => {
        await assert.rejects(root.take({ nested: root.feed() }), {
          code: 'PB_ERR_CALL_UNSENDABLE',
          message: /^args\[0\]\.nested: a promise/,
        })
      },
    ))
})

/** Numbers, and how often their source has cleaned up. */
function watched(to: number): { items: AsyncIterable<number>; cleanups: number } {
  const state = { items: items(), cleanups: 0 }
  async function* items(): AsyncGenerator<number> {
    try {
      yield* count(to)
    } finally {
      state.cleanups += 1
    }
  }
  return state
}

function readable(items: AsyncIterator<unknown>): ReadableStream {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = (await items.next()) as IteratorResult<unknown, unknown>
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
  })
}

function onlyNext(to: number): AsyncIterator<number> {
  let n = 0
  return {
    next: async () => (n < to ? { done: false, value: n++ } : { done: true, value: undefined }),
  }
}
