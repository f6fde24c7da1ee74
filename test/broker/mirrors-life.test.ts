import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Cacheable, release, type Mirror, type RemoteReference } from 'fastify-perspective/broker'
import { assertAlive, assertBreach, collect, until, withHostile, withPair } from './settled.js'

class Store<S> extends Cacheable<S> {
  unobservedCount = 0
  set(next: S): void {
    this.update(next)
  }
  override unobserved(): void {
    this.unobservedCount += 1
  }
}
interface Api {
  store(): Store<number>
}
const offering = (store: Store<number>) => ({ root: { store: () => store } })

describe('the life of a mirror', () => {
  test('unobserved runs once, when the last holder of several connections is gone (T17)', async () => {
    const store = new Store(0)
    await withPair<Api>(offering(store), {}, ({ root: first }) =>
      withPair<Api>(offering(store), {}, ({ root: second }) =>
        withPair<Api>(offering(store), {}, async ({ root: third, client }) => {
          const [one] = await Promise.all([first.store(), second.store(), third.store()])
          one[Symbol.dispose]()
          await turn()
          client.close()
          await turn()
          assert.equal(store.unobservedCount, 0)
        }),
      ),
    )
    // The second was collected.
    assert.equal(store.unobservedCount, 1)
  })

  test('unobserved runs again where it was held again', () => {
    const store = new Store(0)
    return withPair<Api>(offering(store), {}, async ({ root, server }) => {
      for (const times of [1, 2]) {
        const mirror = await root.store()
        mirror[Symbol.dispose]()
        mirror[Symbol.dispose]()
        await turn()
        assert.equal(store.unobservedCount, times)
        assert.equal(server.stats.exported, 0)
      }
    })
  })

  test('unobserved that throws is reported and harms nobody', async () => {
    const logged: unknown[] = []
    class Failing extends Store<number> {
      override unobserved(): void {
        throw new Error('no')
      }
    }
    await withPair<Api>(
      { ...offering(new Failing(1)), onCallError: (_error, { method }) => logged.push(method) },
      {},
      async ({ root, server }) => {
        const mirror = await root.store()
        mirror[Symbol.dispose]()
        await turn()
        assert.deepEqual(logged, ['unobserved'])
        await assertAlive(server)
      },
    )
  })

  test('release() lets go of a mirror as of any reference', () => {
    const store = new Store(0)
    return withPair<Api>(offering(store), {}, async ({ root }) => {
      release((await root.store()) as unknown as RemoteReference)
      await until(() => store.unobservedCount === 1, 'unobserved')
    })
  })

  test('one that is dropped is released (T12); changes go on until then', () => {
    const store = new Store(0)
    return withPair<Api>(offering(store), {}, async ({ root }) => {
      await (async () => {
        await root.store()
      })()
      store.set(1)
      for (let i = 0; store.unobservedCount === 0 && i < 40; i++) await collect()
      assert.equal(store.unobservedCount, 1)
      store.set(2)
      assert.equal((await root.store()).state, 2)
    })
  })

  test('a subscription keeps it alive, and its end lets it go', () => {
    const store = new Store(0)
    const seen: number[] = []
    return withPair<Api>(offering(store), {}, async ({ root }) => {
      const unsubscribe = await (async () => {
        const mirror = await root.store()
        return mirror.subscribe(() => seen.push(mirror.state))
      })()
      for (let i = 0; i < 10; i++) await collect()
      store.set(1)
      await turn()
      assert.deepEqual(seen, [1])
      assert.equal(store.unobservedCount, 0)
      unsubscribe()
    })
  })

  test('one that was disposed of hears nothing more, and keeps its last state', () => {
    const store = new Store(0)
    return withPair<Api>(offering(store), {}, async ({ root }) => {
      const mirror = await root.store()
      const seen: number[] = []
      mirror.subscribe(() => seen.push(mirror.state))
      store.set(1)
      await turn()
      mirror[Symbol.dispose]()
      store.set(2)
      await turn()
      assert.deepEqual([seen, mirror.state], [[1], 1])
    })
  })

  test('one that comes again while its release is on the way is up to date', () => {
    const store = new Store(0)
    return withPair<Api>(offering(store), {}, async ({ root, server }) => {
      const mirror = await root.store()
      const again = root.store()
      mirror[Symbol.dispose]()
      store.set(1)
      const second = await again
      assert.equal(second.state, 1)
      store.set(2)
      await turn()
      assert.equal(second.state, 2)
      assert.equal(server.stats.exported, 1)
      assert.equal(store.unobservedCount, 0)
    })
  })

  test('listeners: the same twice are two, one that throws stops no other, unsubscribing meanwhile', () => {
    const store = new Store(0)
    const logged: unknown[] = []
    return withPair<Api>(
      offering(store),
      { onCallError: (error, { method }) => logged.push([method, (error as Error).message]) },
      async ({ root }) => {
        const mirror = await root.store()
        const { subscribe } = mirror
        let calls = 0
        const listener = (): void => void (calls += 1)
        const first = subscribe(listener)
        subscribe(listener)
        subscribe(() => {
          throw new Error('no')
        })
        subscribe(() => first())
        store.set(1)
        await turn()
        assert.equal(calls, 2)
        assert.deepEqual(logged, [['subscribe', 'no']])
        store.set(2)
        await turn()
        assert.equal(calls, 3)
        mirror[Symbol.dispose]()
      },
    )
  })

  test('the connection that ends leaves the last state, and no holder', async () => {
    const store = new Store(7)
    await withPair<Api>(offering(store), {}, async ({ root, server, client }) => {
      const mirror = await root.store()
      server.close()
      await client.closed
      assert.equal(store.unobservedCount, 1)
      store.set(8)
      await turn()
      assert.equal(mirror.state, 7)
      mirror[Symbol.dispose]()
    })
  })
})

describe('a hostile owner', () => {
  interface Root {
    mirror(): Store<unknown>
  }
  const hostile = (
    state: unknown,
    run: (
      say: (...messages: unknown[]) => Promise<void>,
      mirror: Mirror<unknown>,
      end: (why: RegExp) => Promise<void>,
    ) => Promise<void>,
  ): Promise<void> =>
    withHostile<Root>({}, async ({ broker, say }) => {
      await say([0, 1])
      const answer = broker.root.mirror()
      await turn()
      await say([19, 1, ['$c', 1, state], 0])
      await run(say, await answer, (why) => assertBreach(broker, why))
      broker.close()
    })

  for (const [name, state, patch] of [
    ['a huge index', [1], [1, [[4294967294, [0, 1]]], []]],
    ['a huge length', [1], [1, [], [4294967295]]],
    ['the inside of __proto__', {}, [1, [['__proto__', [1, [['x', [0, 1]]], []]]], []]],
    ['the inside of nothing', { a: 1 }, [1, [['b', [1, [], []]]], []]],
    ['a patch that is none', { a: 1 }, { a: 2 }],
    ['null', { a: 1 }, null],
  ] as const) {
    test(`a change that does not fit is a breach, and changes nothing: ${name}`, () =>
      hostile(state, async (say, mirror, breach) => {
        await say([14, 1, patch])
        await breach(/does not fit/)
        assert.deepEqual(mirror.state, state)
        assert.equal(({} as { x?: unknown }).x, undefined)
      }))
  }

  for (const [name, message] of [
    ['without an id', [17, 1, 0, 'x', [['$c', {}]], 0]],
    ['of the root', [17, 1, 0, 'x', [['$c', 0, {}]], 0]],
    ['without a state', [17, 1, 0, 'x', [['$c', 1]], 0]],
    ['an update without a patch', [14, 1]],
    ['an update of no id', [14, 0, [0, 1]]],
  ] as const) {
    test(`${name}: a breach`, () =>
      hostile({}, async (say, _mirror, breach) => {
        await say(message)
        await breach(/tag|form/)
      }))
  }

  test('__proto__ is a key like any other', () =>
    hostile({ a: 1 }, async (say, mirror) => {
      await say([14, 1, [1, [['__proto__', [0, { polluted: 1 }]]], []]])
      assert.deepEqual(Object.keys(mirror.state as object), ['a', '__proto__'])
      assert.equal(({} as { polluted?: unknown }).polluted, undefined)
      assert.equal(Object.getPrototypeOf(mirror.state), Object.prototype)
    }))

  test('an update of what is not held is ignored', () =>
    withHostile({}, async ({ broker, say }) => {
      await say([14, 99, [0, 1]])
      await assertAlive(broker)
    }))

  test('a mirror and a plain reference of one id do not become one another', () =>
    hostile({ a: 1 }, async (say, _mirror, breach) => {
      await say([17, 2, 0, 'x', [['$r', 1]], 0])
      await breach(/of another kind/)
    }))

  test('nor the other way round', () =>
    hostile({ a: 1 }, async (say, _mirror, breach) => {
      await say([
        17,
        2,
        0,
        'x',
        [
          ['$r', 2],
          ['$c', 2, {}],
        ],
        0,
      ])
      await breach(/of another kind/)
    }))

  test('nor a function an object', () =>
    hostile({ a: 1 }, async (say, _mirror, breach) => {
      await say([
        17,
        2,
        0,
        'x',
        [
          ['$r', 2],
          ['$f', 2],
        ],
        0,
      ])
      await breach(/of another kind/)
    }))
})
