import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { RemoteError } from 'fastify-perspective/broker'
import { collect, until, withPair } from './settled.js'

interface Feed {
  feed(): AsyncIterable<unknown>
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

describe('the end of a stream', () => {
  test('a declared error keeps code, message and data (P74)', () =>
    withPair<Feed>(
      feeding(async function* () {
        yield 1
        throw new RemoteError('FULL', 'no more room', { at: new Date(7) })
      }),
      {},
      async ({ root }) => {
        const stream = await root.feed()
        assert.equal((await stream.next()).value, 1)
        await assert.rejects(stream.next(), {
          name: 'RemoteError',
          code: 'FULL',
          message: 'no more room',
          data: { at: new Date(7) },
        })
        assert.equal((await stream.next()).done, true)
      },
    ))

  test('any other error is an id, which the log of the producer has (O8)', () => {
    const logged: [unknown, string][] = []
    const secret = new Error('SELECT password FROM users')
    return withPair<Feed>(
      {
        root: {
          feed: () =>
            new ReadableStream({
              pull() {
                throw secret
              },
            }),
        },
        onCallError: (error, { id }) => logged.push([error, id]),
      },
      {},
      async ({ root }) => {
        const error = await read(root.feed()).catch((reason: unknown) => reason as Error)
        assert.ok(error instanceof Error)
        assert.equal((error as unknown as { code: string }).code, 'PB_ERR_CALL_FAILED')
        assert.doesNotMatch(error.message, /SELECT/)
        assert.equal(logged.length, 1)
        assert.equal(logged[0]![0], secret)
        assert.ok(error.message.includes(logged[0]![1]))
      },
    )
  })

  test('cancel() runs the finally of the producer, more than once does nothing more (P75, P79)', () => {
    const source = watched(1e6)
    return withPair<Feed>(
      feeding(() => source.items),
      {},
      async ({ root, byClient, client }) => {
        const stream = await root.feed()
        await stream.next()
        await Promise.all([stream.cancel('enough'), stream.cancel(), stream.return?.()])
        await until(() => source.cleanups === 1, 'the finally of the producer')
        assert.equal((await stream.next()).done, true)
        assert.equal(byClient.of(13).length, 1)
        assert.equal(client.stats.streams, 0)
      },
    )
  })

  test('cancel() ends reads that wait', () =>
    withPair<Feed>(
      feeding(() => new ReadableStream()),
      {},
      async ({ root }) => {
        const stream = await root.feed()
        const reads = [stream.next(), stream.next()]
        await turn()
        await stream.cancel()
        assert.deepEqual(await Promise.all(reads), [
          { done: true, value: undefined },
          { done: true, value: undefined },
        ])
      },
    ))

  test('a reader that is dropped without a word stops its producer (P75)', () => {
    const source = watched(1e6)
    return withPair<Feed>(
      feeding(() => source.items),
      {},
      async ({ root, server }) => {
        await (async () => {
          await (await root.feed()).next()
        })()
        for (let i = 0; source.cleanups === 0 && i < 40; i++) await collect()
        assert.equal(source.cleanups, 1)
        assert.equal(server.stats.streams, 0)
      },
    )
  })
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
