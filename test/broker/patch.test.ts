import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { applyPatch, diff } from '../../dist/broker/patch.js'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const { state } = fc.letrec<{ state: Json }>((tie) => ({
  state: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<Json>(null, true, 0, -0, NaN, '', '$d', 'text'),
    fc.array(tie('state'), { maxLength: 6 }),
    fc
      .array(
        fc.tuple(
          fc.constantFrom('a', 'b', '0', '1', '__proto__', 'constructor', 'length'),
          tie('state'),
        ),
        {
          maxLength: 5,
        },
      )
      .map((entries) => fromEntries(entries)),
  ),
}))

/** Another state that shares much of the first, as states do that are replaced a piece at a time. */
function variantOf(before: Json): fc.Arbitrary<Json> {
  if (Array.isArray(before)) {
    return fc.oneof(
      fc.constant(before),
      fc.nat(before.length).map((length) => before.slice(0, length)),
      fc.array(state, { maxLength: 2 }).map((more) => [...before, ...more]),
      fc.array(state, { maxLength: 2 }).map((more) => [...more, ...before]),
      fc
        .tuple(...before.map((item) => fc.oneof(fc.constant(item), variantOf(item))))
        .map((items) => [...items]),
    )
  }
  if (typeof before === 'object' && before !== null) {
    const entries = Object.entries(before)
    return fc.oneof(
      fc.constant(before),
      fc.subarray(entries).map(fromEntries),
      fc
        .tuple(...entries.map(([, item]) => fc.oneof(fc.constant(item), variantOf(item))))
        .map((items) => fromEntries(entries.map(([key], index) => [key, items[index]!]))),
      fc
        .tuple(fc.constantFrom('a', 'b', 'new', '__proto__'), state)
        .map(([key, item]) => fromEntries([...entries, [key, item]])),
    )
  }
  return state
}

function fromEntries(entries: [string, Json][]): { [key: string]: Json } {
  const record: { [key: string]: Json } = {}
  for (const [key, value] of entries) {
    Object.defineProperty(record, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }
  return record
}

const pairs = state.chain((before) =>
  fc.tuple(fc.constant(before), fc.oneof(variantOf(before), state)),
)

/** Whatever is the very same in both states is the very same in the patched one. */
function assertShared(before: unknown, after: unknown, patched: unknown, path: string): void {
  if (Object.is(before, after)) {
    assert.ok(Object.is(before, patched), `${path} did not change and is another`)
    return
  }
  if (typeof before !== 'object' || before === null || typeof after !== 'object' || after === null)
    return
  if (Array.isArray(before) !== Array.isArray(after)) return
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) continue
    const [b, a, p] = [before, after, patched].map(
      (holder) => Object.getOwnPropertyDescriptor(holder, key)?.value as unknown,
    )
    assertShared(b, a, p, `${path}.${key}`)
  }
}

describe('a patch', () => {
  test('turns the state before into the one after', () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const copy = structuredClone(before)
        const patch = diff(before, after)
        if (patch === null) {
          assert.ok(Object.is(before, after))
          return
        }
        const { ok, state: patched } = applyPatch(before, patch)
        assert.ok(ok)
        assert.deepEqual(patched, after)
        assert.deepEqual(before, copy)
      }),
      { numRuns: 2000 },
    )
  })

  test('keeps what did not change', () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const patch = diff(before, after)
        if (patch === null || patch[0] === 0) return
        // A list that was rebuilt is sent as a whole, and then nothing in it is what it was.
        const rebuilt = JSON.stringify(patch).includes('[0,[')
        if (!rebuilt) assertShared(before, after, applyPatch(before, patch).state, '')
      }),
      { numRuns: 2000 },
    )
  })

  test('names what changed and nothing else', () => {
    const item = { x: 1, tags: ['a'] }
    const before = { list: [item, item, item], title: 'old', gone: 1 }
    const after = { list: [item, { ...item, x: 2 }, item], title: 'new' }
    assert.deepEqual(diff(before, after), [
      1,
      [
        ['list', [1, [[1, [1, [['x', [0, 2]]], []]]], []]],
        ['title', [0, 'new']],
      ],
      ['gone'],
    ])
  })

  test('tells an addition at the end of a list by itself', () => {
    const items = Array.from({ length: 1000 }, (_, index) => ({ index }))
    assert.deepEqual(diff(items, [...items, { index: 1000 }]), [
      1,
      [[1000, [0, { index: 1000 }]]],
      [],
    ])
    assert.deepEqual(diff(items, items.slice(0, 10)), [1, [], [10]])
  })

  test('knows a list from an object, and either from a Map or a Date', () => {
    for (const [before, after] of [
      [[], {}],
      [{}, []],
      [{ a: 1 }, new Map([['a', 1]])],
      [new Map(), { a: 1 }],
      [new Date(1), new Date(2)],
      [{ a: 1 }, null],
      [undefined, { a: 1 }],
    ]) {
      const patch = diff(before, after)
      assert.deepEqual(patch, [0, after])
      assert.deepEqual(applyPatch(before, patch), { ok: true, state: after })
    }
  })

  test('of objects without a prototype is as small as of others', () => {
    const bare = (entries: object): object => Object.assign(Object.create(null) as object, entries)
    const before = bare({ a: 1, b: 2 })
    const { ok, state: patched } = applyPatch({ a: 1, b: 2 }, diff(before, bare({ a: 1, b: 3 })))
    assert.ok(ok)
    assert.deepEqual({ ...(patched as object) }, { a: 1, b: 3 })
  })

  test('fills a hole of a list as undefined', () => {
    // eslint-disable-next-line no-sparse-arrays -- a hole is what it is about
    const after = [1, , 3]
    const { ok, state: patched } = applyPatch([1, 2], diff([1, 2], after))
    assert.ok(ok)
    assert.equal((patched as unknown[]).length, 3)
    assert.equal((patched as unknown[])[1], undefined)
    assert.equal((patched as unknown[])[2], 3)
  })
})

describe('a patch that does not fit', () => {
  const list = Object.freeze([1, 2, 3])
  const record = Object.freeze({ a: 1, inner: Object.freeze({ b: 1 }) })
  const misfits: [string, unknown, unknown][] = [
    ['is no list', record, { 0: 0, 1: 1 }],
    ['is empty', record, []],
    ['is of no kind', record, [2, [], []]],
    ['has too much', record, [0, 1, 2]],
    ['has no value', record, [0]],
    ['has no deletions', record, [1, []]],
    ['changes the inside of a number', 5, [1, [], []]],
    ['changes the inside of null', null, [1, [['a', [0, 1]]], []]],
    ['changes the inside of a Map', new Map(), [1, [['a', [0, 1]]], []]],
    ['changes the inside of what is not there', record, [1, [['b', [1, [], []]]], []]],
    ['changes the inside of what is inherited', record, [1, [['constructor', [1, [], []]]], []]],
    ['has an index for a key', record, [1, [[0, [0, 1]]], []]],
    ['has a key for an index', list, [1, [['0', [0, 1]]], []]],
    ['has length for an index', list, [1, [['length', [0, 4e9]]], []]],
    ['has an index far away', list, [1, [[4e9, [0, 1]]], []]],
    ['has an index one too far', list, [1, [[4, [0, 1]]], []]],
    ['has a negative index', list, [1, [[-1, [0, 1]]], []]],
    ['has half an index', list, [1, [[0.5, [0, 1]]], []]],
    ['makes a list longer by its length', list, [1, [], [4e9]]],
    ['makes a list shorter by less than nothing', list, [1, [], [-1]]],
    ['makes a list as long as it is', list, [1, [], [3]]],
    ['deletes by a key in a list', list, [1, [], ['length']]],
    ['deletes by a number in an object', record, [1, [], [0]]],
    ['has a change that is no pair', record, [1, [['a']], []]],
    ['has a change that is a triple', record, [1, [['a', [0, 1], 2]], []]],
    ['has a misfit within', record, [1, [['inner', [1, [[0, [0, 1]]], []]]], []]],
  ]
  for (const [what, before, patch] of misfits) {
    test(what, () => {
      assert.deepEqual(applyPatch(before, patch), { ok: false, state: undefined })
    })
  }

  test('in two keys that are the same applies the later on top of the earlier', () => {
    const patch = [
      1,
      [
        ['a', [0, { x: 1 }]],
        ['a', [1, [['y', [0, 2]]], []]],
      ],
      [],
    ]
    assert.deepEqual(applyPatch({}, patch), { ok: true, state: { a: { x: 1, y: 2 } } })
  })

  test('pollutes nothing', () => {
    const patch = JSON.parse(
      '[1,[["__proto__",[0,{"polluted":1}]],["constructor",[0,{"prototype":{"polluted":1}}]]],[]]',
    ) as unknown
    const { ok, state: next } = applyPatch({}, patch)
    assert.ok(ok)
    assert.equal(Object.getPrototypeOf(next), Object.prototype)
    assert.deepEqual(Object.keys(next as object), ['__proto__', 'constructor'])
    assert.equal((next as { polluted?: unknown }).polluted, undefined)
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    const inner = applyPatch({}, [1, [['__proto__', [1, [['polluted', [0, 1]]], []]]], []])
    assert.equal(inner.ok, false)
    const deleted = applyPatch(next, [1, [], ['__proto__', 'toString']])
    assert.deepEqual(Object.keys(deleted.state as object), ['constructor'])
    assert.equal(typeof Object.prototype.toString, 'function')
  })
})
