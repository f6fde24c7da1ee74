import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import {
  Cacheable,
  Referenceable,
  tell,
  type Mirror,
  type Remote,
  type RemoteMethods,
} from 'fastify-perspective/broker'
import { collect, until, withPair } from './settled.js'

const UPDATE = 14

class Store<S> extends Cacheable<S> {
  unobservedCount = 0
  set(next: S): void {
    this.update(next)
  }
  override unobserved(): void {
    this.unobservedCount += 1
  }
}

interface Api<S> {
  store(): Store<S>
  isIt(store: unknown): boolean
}
const offering = <S>(store: Store<S>) => ({
  root: { store: () => store, isIt: (object: unknown) => object === store },
})

describe('a Cacheable', () => {
  test('shows its state, and then every change (T4, T13, T14)', () => {
    const store = new Store({ title: 'a', n: 0 })
    return withPair<Api<{ title: string; n: number }>>(offering(store), {}, async ({ root }) => {
      const mirror = await root.store()
      const seen = [mirror.state]
      mirror.subscribe(() => seen.push(mirror.state))
      for (const n of [1, 2]) {
        store.set({ ...store.state, n })
        await turn()
      }
      assert.deepEqual(seen, [
        { title: 'a', n: 0 },
        { title: 'a', n: 1 },
        { title: 'a', n: 2 },
      ])
      mirror[Symbol.dispose]()
    })
  })

  test('keeps what did not change the very same at its holder', () => {
    const store = new Store({
      rows: [{ id: 1 }, { id: 2 }],
      meta: { tags: ['x'] },
      at: new Date(1),
    })
    return withPair<Api<typeof store.state>>(offering(store), {}, async ({ root, byServer }) => {
      const mirror = await root.store()
      const before = mirror.state
      const { rows, meta, at } = store.state
      store.set({ rows: [rows[0]!, { id: 3 }], meta, at })
      await turn()
      assert.notEqual(mirror.state, before)
      assert.deepEqual(mirror.state.rows, [{ id: 1 }, { id: 3 }])
      assert.equal(mirror.state.rows[0], before.rows[0])
      assert.equal(mirror.state.meta, before.meta)
      assert.equal(mirror.state.at, before.at)
      assert.deepEqual(byServer.of(UPDATE)[0]![2], [
        1,
        [['rows', [1, [[1, [1, [['id', [0, 3]]], []]]], []]]],
        [],
      ])
    })
  })

  test('is one mirror however often it comes (O4), and the original when it goes home (T16)', () => {
    const store = new Store(1)
    return withPair<Api<number>>(offering(store), {}, async ({ root, server }) => {
      const [mirror, again] = await Promise.all([root.store(), root.store()])
      assert.equal(mirror, again)
      assert.equal(server.stats.exported, 1)
      assert.equal(await root.isIt(mirror), true)
      assert.equal(await root.isIt([mirror]), false)
    })
  })

  test('shows each caller what is meant for it (T21)', async () => {
    class Secret extends Store<{ n: number; seenBy?: unknown }> {
      override stateFor(caller: object | null): { n: number; seenBy?: unknown } {
        return { n: this.state.n, seenBy: (caller as { name?: string } | null)?.name }
      }
    }
    const store = new Secret({ n: 1 })
    const options = (name: string) => ({ root: { name, store: () => store } })
    type Offered = Pick<Api<{ n: number; seenBy?: unknown }>, 'store'>
    await withPair<Offered>(options('ada'), {}, ({ root: asAda }) =>
      withPair<Offered>(options('bob'), {}, async ({ root: asBob }) => {
        const [ada, bob] = await Promise.all([asAda.store(), asBob.store()])
        store.set({ n: 2 })
        await turn()
        assert.deepEqual(ada.state, { n: 2, seenBy: 'ada' })
        assert.deepEqual(bob.state, { n: 2, seenBy: 'bob' })
      }),
    )
  })

  test('says nothing of a change that a view does not show', () => {
    class Coarse extends Store<{ n: number }> {
      override stateFor(): { n: number } {
        return this.state.n < 10 ? small : this.state
      }
    }
    const small = { n: 0 }
    const store = new Coarse({ n: 1 })
    return withPair<Api<{ n: number }>>(offering(store), {}, async ({ root, byServer }) => {
      const mirror = await root.store()
      store.set({ n: 2 })
      await turn()
      assert.equal(byServer.of(UPDATE).length, 0)
      assert.deepEqual(mirror.state, { n: 0 })
    })
  })

  test('is told before whatever is said later, and after what was said before', () => {
    const store = new Store(0)
    const log: unknown[] = []
    const root = {
      ...offering(store).root,
      work() {
        store.set(1)
        tell(mind).note('between')
        store.set(2)
        return 'done'
      },
    }
    let mind: Remote<{ note(text: string): void }>
    const client = { root: { note: (text: string) => log.push([text, mirror.state]) } }
    let mirror: Mirror<number>
    return withPair<Api<number> & { work(): string }, { note(text: string): void }>(
      { root },
      client,
      async (pair) => {
        mind = pair.mind
        await (async () => {
          mirror = await pair.root.store()
          mirror.subscribe(() => log.push(mirror.state))
          log.push([await pair.root.work(), mirror.state])
          mirror[Symbol.dispose]()
        })()
        assert.deepEqual(log, [1, ['between', 1], 2, ['done', 2]])
      },
    )
  })

  test('tells 10 000 changes of one tick in few frames', () => {
    const store = new Store({ n: 0, list: [] as number[] })
    return withPair<Api<typeof store.state>>(offering(store), {}, async ({ root, byServer }) => {
      const mirror = await root.store()
      const frames = byServer.frames.length
      for (let n = 1; n <= 10_000; n++) store.set({ n, list: store.state.list })
      await turn()
      assert.equal(mirror.state.n, 10_000)
      assert.equal(byServer.frames.length, frames + 1)
    })
  })

  test('has references, Maps, dates, bytes and others of its kind in its state', () => {
    class Bell extends Referenceable {
      static readonly remote: RemoteMethods<Bell> = { ring: true }
      ring(): string {
        return 'ding'
      }
    }
    const inner = new Store({ deep: 1 })
    const state = {
      bell: new Bell(),
      map: new Map([['a', new Date(1)]]),
      bytes: Uint8Array.of(1),
      none: undefined,
      $dollar: ['$d', 5],
      inner,
    }
    const store = new Store<typeof state>(state)
    return withPair<Api<typeof state>>(offering(store), {}, async ({ root }) => {
      const mirror = await root.store()
      const shown = mirror.state as unknown as Omit<typeof state, 'bell' | 'inner'> & {
        bell: Remote<Bell>
        inner: Mirror<{ deep: number }>
      }
      assert.deepEqual(shown.map, state.map)
      assert.deepEqual(shown.$dollar, ['$d', 5])
      assert.equal(await shown.bell.ring(), 'ding')
      store.set({ ...state, map: new Map([['b', new Date(2)]]), $dollar: ['$d', 6] })
      inner.set({ deep: 2 })
      await turn()
      const next = mirror.state as unknown as typeof shown
      assert.deepEqual(next.map, new Map([['b', new Date(2)]]))
      assert.deepEqual(next.$dollar, ['$d', 6])
      assert.equal(next.bell, shown.bell)
      assert.equal(next.inner, shown.inner)
      assert.deepEqual(next.inner.state, { deep: 2 })
    })
  })

  test('may nest as deep as any value, and change there', () => {
    const nest = (levels: number, leaf: number): unknown =>
      levels === 0 ? leaf : { inner: nest(levels - 1, leaf) }
    const store = new Store(nest(60, 1))
    return withPair<Api<unknown>>(offering(store), {}, async ({ root }) => {
      const mirror = await root.store()
      store.set(nest(60, 2))
      await turn()
      assert.deepEqual(mirror.state, nest(60, 2))
    })
  })

  test('may call its caller while it makes a view', () => {
    const notes: unknown[] = []
    let mind: Remote<{ note(n: number): number }>
    class Chatty extends Store<number> {
      override stateFor(): number {
        void mind.note(this.state)
        return this.state
      }
    }
    const store = new Chatty(0)
    const root = { ...offering(store).root, bump: () => store.set(store.state + 1) }
    return withPair<Api<number> & { bump(): void; n(): number }, { note(n: number): number }>(
      { root },
      { root: { note: (n: number) => notes.push(n) } },
      async (pair) => {
        mind = pair.mind
        const mirror = await pair.root.store()
        store.set(5)
        // The view is made when this call is said, and makes one of its own.
        await mind.note(100)
        assert.equal(mirror.state, 5)
        assert.deepEqual(notes, [0, 5, 100])
      },
    )
  })
})

describe('a state that cannot cross', () => {
  test('is left out and reported; what comes after it arrives', () => {
    const logged: unknown[] = []
    const store = new Store<unknown>({ n: 1, kept: { x: 1 } })
    return withPair<Api<unknown>>(
      { ...offering(store), onCallError: (error, { method }) => logged.push([method, error]) },
      {},
      async ({ root }) => {
        const mirror = await root.store()
        store.set({ n: Symbol('no') })
        await turn()
        assert.deepEqual(mirror.state, { n: 1, kept: { x: 1 } })
        assert.equal((logged[0] as [string, { code: string }])[0], 'update')
        assert.equal((logged[0] as [string, { code: string }])[1].code, 'PB_ERR_CALL_UNSENDABLE')
        store.set({ n: 3 })
        await turn()
        assert.deepEqual(mirror.state, { n: 3 })
      },
    )
  })

  test('from the beginning refuses the message, and nothing is held for it', () => {
    const store = new Store<unknown>({ n: Symbol('no') })
    return withPair<{ take(value: unknown): void }>(
      { root: { take: () => undefined } },
      {},
      async ({ root, client }) => {
        await assert.rejects(root.take([store]), {
          code: 'PB_ERR_CALL_UNSENDABLE',
          message: /^args\[0\]\[0\]\.state\.n: /,
        })
        assert.equal(client.stats.exported, 0)
        await collect()
        await until(() => true, '')
      },
    )
  })
})
