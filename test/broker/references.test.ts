// References and functions, both ways: the same object is the same handle, and sent home it is itself.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Broker,
  Referenceable,
  type RemoteMethods,
  isReference,
  localPair,
  reference,
  release,
  unchecked,
} from 'fastify-perspective/broker'
import { Heard, code, raw, settled, slowPair } from './both-ends.js'

interface Say {
  say(text: string): string
}
class Speaker extends Referenceable implements Say {
  static readonly remote: RemoteMethods<Say> = { say: unchecked }
  say(text: string): string {
    return `${text}!`
  }
}
type Call = (...args: unknown[]) => Promise<unknown>

/** A root that keeps what it is given. */
function keeper(give: unknown): {
  root: { take(...values: unknown[]): unknown; give(): unknown; back(index: number): unknown }
  taken: unknown[]
} {
  const taken: unknown[] = []
  const root = {
    take: (...values: unknown[]) => taken.push(...values),
    give: () => give,
    back: (index: number) => taken[index],
  }
  return { root, taken }
}

function releaseAll(...values: unknown[]): void {
  for (const value of values) if (isReference(value)) release(value)
}

describe('references', () => {
  test('P34 T67 objects, literals and functions are callable, passed and returned, both ways', async () => {
    for (const flip of [false, true]) {
      const given = [
        new Speaker(),
        reference<Say>({ say: (text) => `${text}?` }),
        (x: unknown) => `f${String(x)}`,
      ]
      const { root, taken } = keeper(given)
      const ends = localPair<typeof root, typeof root>({ root }, { root })
      const [left, right] = flip ? [ends[1], ends[0]] : ends
      const received = (await left.root.give()) as object[]
      await left.root.take(...given)
      assert.equal(right.stats.imported, 3)
      for (const [object, literal, fn] of [received, taken]) {
        assert.equal(await raw(object as object, 'say')('a'), 'a!')
        assert.equal(await raw(literal as object, 'say')('a'), 'a?')
        assert.equal(await (fn as Call)(1), 'f1')
        assert.equal(typeof fn, 'function')
        assert.equal(typeof object, 'object')
      }
      releaseAll(...received, ...taken)
      await settled(left, right)
    }
  })

  test('P36 O4 T68 the same object is one handle, however often and wherever it comes', async () => {
    const speaker = new Speaker()
    const fn = (): number => 1
    const { root, taken } = keeper({
      list: [speaker, fn],
      map: new Map<unknown, unknown>([[speaker, fn]]),
      set: new Set([speaker]),
    })
    const [left, right] = localPair<object, typeof root>({}, { root })
    interface Given {
      list: object[]
      map: Map<object, object>
      set: Set<object>
    }
    const one = (await left.root.give()) as Given
    const two = (await left.root.give()) as Given
    const [handle, callback] = one.list
    assert.equal(two.list[0], handle)
    assert.equal(two.list[1], callback)
    assert.equal(one.map.get(handle!), callback)
    assert.equal(one.set.has(handle!), true)
    assert.equal(right.stats.exported, 2)
    assert.equal(left.stats.imported, 2)
    // One release balances all.
    releaseAll(handle, callback)
    await settled(left, right)
    assert.deepEqual(taken, [])
  })

  test('T5 T14 T16 P35 O14 sent home it is the original, at any depth', async () => {
    const speaker = new Speaker()
    const literal = reference<Say>({ say: (text) => text })
    const fn = (): number => 1
    const { root, taken } = keeper([speaker, literal, fn])
    const [left, right] = localPair<object, typeof root>({}, { root })
    const [a, b, c] = (await left.root.give()) as object[]
    await left.root.take(a, { deep: [b, new Map([[c, a]])] }, new Set([c]))
    assert.equal(taken[0], speaker)
    const deep = (taken[1] as { deep: [unknown, Map<unknown, unknown>] }).deep
    assert.equal(deep[0], literal)
    assert.equal(deep[1].get(fn), speaker)
    assert.equal((taken[2] as Set<unknown>).has(fn), true)
    releaseAll(a, b, c)
    await settled(left, right)
  })

  test('P37 T15 a method gives back the reference that it was given', async () => {
    const { root, taken } = keeper(null)
    const [left, right] = localPair<object, typeof root>({}, { root })
    const mine = [new Speaker(), (): number => 1, reference({})]
    await left.root.take(...mine)
    for (const index of [0, 1, 2]) assert.equal(await left.root.back(index), mine[index])
    assert.equal(taken.length, 3)
    releaseAll(...taken)
    await settled(left, right)
  })

  test('T15 T16 a root that is sent is the peer’s root handle, and sent home the root', async () => {
    const roots: unknown[] = []
    class Root extends Referenceable {
      static readonly remote = { self: true, take: unchecked } as const
      self(): this {
        return this
      }
      take(value: unknown): void {
        roots.push(value)
      }
    }
    const root = new Root()
    const [left, right] = localPair<Root, Root>({ root: new Root() }, { root })
    const self = await raw(left.root, 'self')()
    assert.equal(self, left.root)
    await raw(left.root, 'take')(left.root)
    assert.equal(roots[0], root)
    release(left.root)
    assert.equal(await raw(left.root, 'self')(), left.root)
    await settled(left, right)
  })

  test('T6 P26 bound and destructured methods are the same, and keep working', async () => {
    const { root } = keeper(new Speaker())
    const [left, right] = localPair<object, typeof root>({}, { root })
    const { give } = left.root
    const ref = (await give()) as { say: Call }
    assert.equal(ref.say, ref.say)
    const { say } = ref
    assert.equal(await say('a'), 'a!')
    assert.equal(await say.bind(null)('b'), 'b!')
    assert.deepEqual(await Promise.all(['c', 'd'].map((text) => say(text))), ['c!', 'd!'])
    releaseAll(ref)
    await settled(left, right)
  })

  test('T10 P39 P40 callbacks: async, in each other, several of one kind in one call', async () => {
    const root = {
      run: async (...callbacks: Call[]) => {
        const results = await Promise.all(
          callbacks.map(async (callback) => callback((x: number) => x * 2)),
        )
        releaseAll(...callbacks)
        return results
      },
    }
    const [left, right] = localPair<object, { run(...callbacks: unknown[]): unknown }>(
      {},
      { root: root as never },
    )
    const times = (n: number) => async (double: Call) => {
      const result = await double(n)
      releaseAll(double)
      return result
    }
    assert.deepEqual(await left.root.run(times(1), times(2), times(3)), [2, 4, 6])
    await settled(left, right)
  })

  test('P41 a reference shares its owner’s state, data is a copy', async () => {
    const state = { count: 1 }
    const counter = reference({ add: () => ++state.count })
    const { root } = keeper({ counter, state })
    const [left, right] = localPair<object, typeof root>({}, { root })
    const got = (await left.root.give()) as { counter: object; state: typeof state }
    assert.equal(await raw(got.counter, 'add')(), 2)
    assert.equal(state.count, 2)
    assert.deepEqual(got.state, { count: 1 })
    releaseAll(got.counter)
    await settled(left, right)
  })

  test('O3 O15 isReference knows handles, and nothing else', async () => {
    const { root } = keeper([new Speaker(), (): number => 1])
    const [left, right] = localPair<object, typeof root>({}, { root })
    const [ref, fn] = (await left.root.give()) as object[]
    for (const value of [ref, fn, left.root]) assert.equal(isReference(value), true)
    for (const value of [
      null,
      undefined,
      1,
      'x',
      {},
      [],
      new Speaker(),
      (): number => 1,
      left,
      root,
    ]) {
      assert.equal(isReference(value), false)
      assert.equal(ref === value, false)
    }
    releaseAll(ref, fn)
    await settled(left, right)
  })
})

describe('forwarding', () => {
  test('P38 a reference of one connection works through another, passed, returned, as a promise', async () => {
    const { root } = keeper([new Speaker(), (x: unknown) => x])
    const [toFar, far] = localPair<object, typeof root>({}, { root })
    const middle = {
      give: async () => toFar.root.give(),
      root: () => toFar.root,
    }
    const [left, right] = localPair<object, { give(): unknown; root(): unknown }>(
      {},
      { root: middle },
    )
    const [speaker, fn] = (await left.root.give()) as [object, Call]
    assert.equal(await raw(speaker, 'say')('a'), 'a!')
    assert.equal(await fn(5), 5)
    await assert.rejects(raw(speaker, 'nothing')(), code('PB_ERR_CALL_UNKNOWN_METHOD', /"nothing"/))
    // A callback through both, and home again.
    const mine = (): number => 7
    assert.equal(await fn(mine), mine)
    // The far root, pipelined through the middle.
    const farRoot = left.root.root()
    const [again] = (await raw(farRoot, 'give')()) as object[]
    assert.equal(again, speaker)
    // Given back on the near connection, then on the far one.
    releaseAll(speaker, fn, await farRoot)
    for (const [ref] of [[await toFar.root.give()]] as [object[]][]) releaseAll(...ref)
    await settled(left, right)
    toFar.close()
    far.close()
  })

  for (const end of ['the far', 'the near'] as const) {
    test(`P38 O18 it dies with ${end} connection, also while a call is on its way`, async () => {
      const heard = new Heard()
      const wait = (): Promise<never> => new Promise(() => undefined)
      const { root } = keeper({ wait: reference({ wait }), self: null })
      const [c, d] = slowPair(1)
      const toFar = new Broker<typeof root>(c)
      const far = new Broker(d, { root })
      const middle = { give: async () => toFar.root.give() }
      const [left, right] = localPair<object, { give(): unknown }>(
        {},
        { root: middle, onCallError: heard.listen },
      )
      const { wait: ref } = (await left.root.give()) as { wait: object }
      const waiting = raw(ref, 'wait')()
      await new Promise((resolve) => setTimeout(resolve, 10))
      if (end === 'the far') far.close()
      else right.close()
      await assert.rejects(
        waiting,
        code(end === 'the far' ? 'PB_ERR_REF_DEAD' : 'PB_ERR_CONNECTION_LOST'),
      )
      await assert.rejects(raw(ref, 'wait')(), code('PB_ERR_REF_DEAD'))
      if (end === 'the far') releaseAll(ref)
      assert.deepEqual(heard.errors, [])
      await settled(left, right)
      for (const broker of [toFar, far]) broker.close()
      await settled(toFar, far)
    })
  }
})
