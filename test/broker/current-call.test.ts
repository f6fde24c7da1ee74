import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import {
  Viewable,
  currentCall,
  tell,
  type CurrentCall,
  type RemoteMethods,
} from 'fastify-perspective/broker'
import { until, withPair } from './settled.js'

interface Api {
  look(): void
  hang(): void
  after(): string
  give(): () => void
  failing(): void
}

function looking() {
  const calls: CurrentCall[] = []
  const root = {
    look: () => void calls.push(currentCall()),
    hang: () => (calls.push(currentCall()), new Promise(() => undefined)),
    async after() {
      await turn()
      try {
        currentCall()
      } catch (error) {
        return (error as Error).name
      }
      return 'there was one'
    },
    give: () => () => void calls.push(currentCall()),
    failing() {
      throw new Error('no')
    },
  }
  return { root, calls }
}

describe('currentCall', () => {
  test('tells the method, and who calls: the root of this side', () => {
    const { root, calls } = looking()
    return withPair<Api>({ root }, {}, async ({ root: remote, server }) => {
      await remote.look()
      assert.equal(calls[0]!.method, 'look')
      assert.equal(calls[0]!.caller, root)
      assert.equal(calls[0]!.signal.aborted, false)
      assert.equal(server.stats.running, 0)
    })
  })

  test('is there in a function, where nothing has a root null is the caller', () => {
    const calls: CurrentCall[] = []
    return withPair<{ call(f: () => void): void }>(
      { root: { call: (f: () => Promise<void>) => f() } },
      {},
      async ({ root }) => {
        await root.call(() => void calls.push(currentCall()))
        assert.deepEqual([calls[0]!.method, calls[0]!.caller], ['', null])
      },
    )
  })

  test('is there in the methods of a Viewable, and in calls on results', () => {
    const seen: unknown[] = []
    class Door extends Viewable<object> {
      static readonly remote: RemoteMethods<Door> = { enter: true }
      enter(caller: object): void {
        seen.push(caller === currentCall().caller, currentCall().method)
      }
    }
    const root = { door: async () => Promise.resolve(new Door()) }
    return withPair<{ door(): Door }>({ root }, {}, async ({ root }) => {
      await root.door().enter()
      assert.deepEqual(seen, [true, 'enter'])
    })
  })

  test('is over after the first await, outside of calls, and after a method that threw', () =>
    withPair<Api>(looking(), {}, async ({ root }) => {
      assert.throws(() => currentCall(), TypeError)
      assert.equal(await root.after(), 'TypeError')
      await assert.rejects(root.failing())
      assert.throws(() => currentCall(), TypeError)
    }))

  test('fires its signal when the connection ends, of calls without answer, too', () => {
    const { root, calls } = looking()
    return withPair<Api>({ root }, {}, async ({ root, client, server }) => {
      const hanging = root.hang()
      tell(root).look()
      await until(() => calls.length === 2, 'the calls')
      client.close()
      await assert.rejects(hanging)
      await server.closed
      for (const { signal } of calls) {
        assert.equal(signal.aborted, true)
        assert.equal((signal.reason as Error).name, 'ConnectionLostError')
      }
    })
  })

  test('has a signal for each call, and one however often it is asked', () => {
    const signals: unknown[] = []
    const root = { ask: () => void signals.push(currentCall().signal, currentCall().signal) }
    return withPair<{ ask(): void }>({ root }, {}, async ({ root }) => {
      await Promise.all([root.ask(), root.ask()])
      assert.equal(signals[0], signals[1])
      assert.equal(signals[2], signals[3])
      assert.notEqual(signals[0], signals[2])
    })
  })
})
