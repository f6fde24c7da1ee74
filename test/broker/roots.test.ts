// Roots: on both sides, on one, on none, of every form, and one that is still to come.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Broker,
  Referenceable,
  localPair,
  reference,
  release,
  transportPair,
} from 'fastify-perspective/broker'
import { Heard, Script, code, raw, settled, tick } from './both-ends.js'

interface Side {
  name(): string
  take(...values: unknown[]): unknown
}
const side = (name: string): Side => ({
  name: () => name,
  take: (...values: unknown[]) => values.length,
})

describe('roots', () => {
  test('T29 on both sides, at once and without waiting for a hello', async () => {
    const [left, right] = localPair<Side, Side>(
      { root: side('left') },
      { root: side('right'), info: { v: 1 } },
    )
    const [a, b] = await Promise.all([left.root.name(), right.root.name()])
    assert.deepEqual([a, b], ['right', 'left'])
    assert.deepEqual(await left.peer, { hasRoot: true, info: { v: 1 } })
    assert.deepEqual(await right.peer, { hasRoot: true, info: undefined })
    await settled(left, right)
  })

  test('an instance of a class that is no Referenceable and has no function of its own is refused', () => {
    class Mind {
      welcome(): string {
        return 'hello'
      }
    }
    const [left, right] = transportPair()
    assert.throws(() => new Broker(left, { root: new Mind() }), {
      name: 'TypeError',
      message: /extends Referenceable.*got an instance of Mind, which has no function of its own/,
    })
    // Whoever has functions of its own offers them, and nothing is what a literal without any offers.
    class Bound {
      readonly welcome = (): string => 'hello'
    }
    new Broker(right, { root: new Bound() }).close()
    const [bare, nothing] = transportPair()
    new Broker(bare, { root: {} }).close()
    new Broker(nothing, { root: Object.create(null) as object }).close()
  })

  test('a literal offers its own functions, a class its table, a function itself, a handle what it stands for', async () => {
    class Table extends Referenceable {
      static readonly remote = { name: true } as const
      name(): string {
        return 'table'
      }
    }
    const far = localPair<object, Side>({}, { root: side('far') })
    const roots: [root: object, expected: string][] = [
      [side('literal'), 'literal'],
      [reference({ name: () => 'reference' }), 'reference'],
      [new Table(), 'table'],
      [far[0].root, 'far'],
    ]
    for (const [root, expected] of roots) {
      for (const given of [root, Promise.resolve(root)]) {
        const [left, right] = localPair<object, Side>({}, { root: given })
        assert.equal(await left.root.name(), expected)
        assert.equal(await left.root.name(), expected)
        await settled(left, right)
      }
    }
    const [left, right] = localPair({}, { root: () => 'function' })
    assert.equal(await raw(left.root, '')(), 'function')
    await settled(left, right, ...far)
  })

  test('none: calls are refused before the hello and after it, and say why', async () => {
    const [left, right] = localPair<object, Side>()
    const early = left.root.name()
    const told = left.root.take(left.root)
    await assert.rejects(early, code('PB_ERR_REF_DEAD', /no root/))
    await assert.rejects(told, code('PB_ERR_REF_DEAD', /no root/))
    assert.equal((await left.peer).hasRoot, false)
    await assert.rejects(left.root.name(), code('PB_ERR_REF_DEAD', /the other side offers none/))
    await settled(left, right)
  })

  test('the root handle as an argument before there is a root is refused, and ends nothing', async () => {
    let publish!: (root: object) => void
    const root = new Promise<object>((resolve) => (publish = resolve))
    const keep: unknown[] = []
    const mine = { take: (...values: unknown[]) => keep.push(...values) }
    const [left, right] = localPair<Side, Side>({ root: mine }, { root })
    await assert.rejects(left.root.take(left.root), code('PB_ERR_REF_DEAD', /no root/))
    const held = left.root.take(() => 1, 2)
    assert.equal(await right.root.take(1), 1)
    publish({
      take: (...values: unknown[]) => {
        values.forEach((value) => release(value as never))
        return values.length
      },
    })
    assert.equal(await held, 2)
    assert.equal(await left.root.take(left.root), 1)
    await settled(left, right)
  })
})

describe('a root that is still to come', () => {
  test('P19 calls on it wait and run in order, tells and results too; everything else flows', async () => {
    const done: string[] = []
    let publish!: (root: object) => void
    const script = new Script()
    const broker = new Broker<Side>(script, {
      root: new Promise<object>((resolve) => (publish = resolve)),
      info: 'me',
    })
    script.say([0, 1])
    script.say(
      [1, 1, 0, 'note', ['a']],
      [2, 0, 'note', ['b']],
      [1, 2, -1, 'x', []],
      [1, 3, 0, 'note', ['c']],
      [1, 4, 0, 'nothing', []],
    )
    const call = broker.root.name()
    assert.deepEqual(await script.heard(), [[1, 1, 0, 'name', []]])
    script.say([3, 1, 'page'])
    assert.equal(await call, 'page')
    assert.equal(broker.stats.running, 5)
    publish({
      note: (text: string) => {
        done.push(text)
        return text
      },
    })
    const said = await script.heard()
    assert.deepEqual(done, ['a', 'b', 'c'])
    assert.deepEqual(said[0], [0, 1, 'me'])
    assert.deepEqual(
      said
        .slice(1)
        .map((message) => message.slice(0, 3))
        .sort((a, b) => Number(a[1]) - Number(b[1])),
      [
        [3, 1, 'a'],
        [4, 2, 'PB_ERR_REF_NOT_CALLABLE'],
        [3, 3, 'c'],
        [4, 4, 'PB_ERR_CALL_UNKNOWN_METHOD'],
      ],
    )
    await settled(broker)
    script.end()
  })

  test('so many may wait and no more', async () => {
    let publish!: (root: object) => void
    const root = new Promise<object>((resolve) => (publish = resolve))
    const [left, right] = localPair<object, Side>({}, { root, limits: { maxHeldCalls: 2 } })
    const calls = [left.root.name(), left.root.name(), left.root.name()]
    await assert.rejects(calls[2]!, code('PB_ERR_LIMIT_PENDING_CALLS', /before the root is there/))
    publish(side('late'))
    assert.deepEqual(await Promise.all(calls.slice(0, 2)), ['late', 'late'])
    await settled(left, right)
  })

  test('T28 O2 the connection that ends before: nothing runs, nothing stays, nothing is unhandled', async () => {
    const heard = new Heard()
    let publish!: (root: object) => void
    let ran = 0
    const root = new Promise<object>((resolve) => (publish = resolve))
    const [left, right] = localPair<object, Side>({}, { root, onCallError: heard.listen })
    const calls = [left.root.name(), left.root.take(() => 1)]
    await tick()
    assert.equal(right.stats.running, 2)
    left.close()
    for (const call of calls) await assert.rejects(call, code('PB_ERR_CONNECTION_LOST'))
    await right.closed
    publish({ name: () => ++ran, take: () => ++ran })
    await sleep(5)
    assert.equal(ran, 0)
    assert.deepEqual(heard.errors, [])
    await settled(left, right)
  })

  test('that never comes: its promise rejects, and who made it closes', async () => {
    const root = Promise.reject(new Error('no avatar'))
    const [left, right] = localPair<object, Side>({}, { root })
    const call = left.root.name()
    await tick()
    assert.equal(left.stats.pending, 1)
    right.close(1011, 'the avatar could not be made')
    await assert.rejects(call, code('PB_ERR_CONNECTION_LOST', /1011 the avatar/))
    await assert.rejects(left.peer, code('PB_ERR_CONNECTION_LOST', /before the hello/))
    await settled(left, right)
  })

  test('that is no object ends the connection, and the log hears of it', async () => {
    for (const nothing of [null, undefined, 7]) {
      const heard = new Heard()
      const [left, right] = localPair<object, Side>(
        {},
        { root: Promise.resolve(nothing as never), onCallError: heard.listen },
      )
      await assert.rejects(left.root.name(), code('PB_ERR_CONNECTION_LOST', /1011/))
      assert.ok(heard.errors[0] instanceof TypeError)
      await settled(left, right)
    }
  })
})
