// Calls on results that are not there yet.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Broker, localPair, release } from 'fastify-perspective/broker'
import { code, settled, slowPair, tick } from './both-ends.js'
import { Chain, type Link, finish, pair } from './chain.js'

describe('calls on promises', () => {
  test('P63 P18 reach the result, of sync and async methods, in the order made', async () => {
    const [left, right] = pair()
    const a = left.root.next()
    const b = a.nextLater()
    const c = b.next()
    assert.equal(await c.depth(), 3)
    assert.deepEqual(await Promise.all([a.depth(), b.depth(), c.depth()]), [1, 2, 3])
    await finish(left, right, a, b, c)
  })

  test('P63 take promises as arguments, alone and beside values', async () => {
    const [left, right] = pair()
    const a = left.root.next()
    const b = a.nextLater()
    assert.equal(await a.add(b), 3)
    const c = b.next()
    const sum = await c.add(a)
    assert.equal(sum, 4)
    Chain.taken = []
    await left.root.take(1, left.root.depth(), 'x', left.root.nothing(), left.root.data())
    assert.deepEqual(Chain.taken, [1, 0, 'x', null, { depth: 0 }])
    await finish(left, right, a, b, c)
  })

  test('ten dependent calls are one frame each way: one round trip', async () => {
    const [a, b] = slowPair(30)
    const left = new Broker<Link>(a)
    const right = new Broker(b, { root: new Chain() })
    await left.peer
    a.sent.length = b.sent.length = 0
    const nodes = [left.root.next()]
    for (let index = 0; index < 9; index++) nodes.push(nodes[index]!.next())
    assert.equal(await nodes[9]!.depth(), 10)
    assert.equal(a.sent.length, 1)
    assert.equal(b.sent.length, 1)
    for (const node of nodes) release(await node)
    await sleep(100)
    await settled(left, right)
  })

  test('methods called id, tick, frame and pin are methods like any other', async () => {
    const [left, right] = pair()
    const a = left.root.next()
    const names = [a.id(), a.tick(), a.frame(), a.pin()]
    assert.deepEqual(await Promise.all(names), ['id', 'tick', 'frame', 'pin'])
    await finish(left, right, a)
  })

  test('P19 on an older promise wait for it, and then go out in order', async () => {
    const [left, right] = pair()
    const a = left.root.nextLater()
    await tick()
    const order: number[] = []
    const calls = [a.depth(), a.add(left.root.next()), a.depth()].map((call, index) =>
      call.then((value) => {
        order.push(index)
        return value
      }),
    )
    const [first, second, third] = await Promise.all(calls)
    assert.deepEqual([first, second, third], [1, 2, 1])
    const older = await a
    const b = left.root.next()
    await b
    // Targets of this tick and arguments of an earlier one, and the other way round.
    assert.equal(await left.root.next().add(b), 2)
    assert.equal(await b.add(left.root.next()), 2)
    assert.equal(await b.next().add(a), 3)
    assert.equal(await older.add(b), 2)
    left.close()
    right.close()
  })

  test('a call that waits for an argument on a reference that is released meanwhile rejects as dead', async () => {
    const [left, right] = pair()
    const earlier = left.root.nextLater()
    const ref = await left.root.next()
    const call = ref.add(earlier)
    release(ref)
    await assert.rejects(call, code('PB_ERR_REF_DEAD'))
    await finish(left, right, earlier)
  })

  test('a promise of one connection is an argument of another', async () => {
    const [left, right] = pair()
    const [other, otherEnd] = localPair<object, { kind(value: unknown): string }>(
      {},
      { root: { kind: (value: unknown) => String(value) } },
    )
    assert.equal(await other.root.kind(left.root.depth()), '0')
    await assert.rejects(other.root.kind(left.root.fail()), code('BROKEN'))
    await settled(left, right, other, otherEnd)
  })
})
