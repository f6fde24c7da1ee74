// Peers that lie in what is well formed: their calls are refused, their words dropped, and the connection stays.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { localPair, reference } from 'fastify-perspective/broker'
import { attack, call } from '../support/attack.js'
import { settled } from '../support/scripted-peer.js'

describe('well formed and refused', () => {
  test('P10, P82: plain values of great depth are refused and the call alone', async () => {
    const { peer } = await attack()
    const deep = '['.repeat(500_000) + ']'.repeat(500_000)
    peer.sayRaw(`[[1,1,0,"take",[${deep}]]]`)
    peer.sayRaw(`[[2,0,"take",[${deep}]]]`)
    peer.say(call(2, ['$t', 1]))
    peer.sayRaw(`[[9,1,${deep}]]`)
    peer.say([1, 3, 0, 'take', [1]])
    const messages = peer.take()
    assert.deepEqual(
      messages.map(([kind, id]) => [kind, id]),
      [
        [4, 1],
        [3, 2],
        [13, 1],
        [3, 3],
      ],
    )
    assert.equal(peer.closed, null)
    peer.end()
  })

  test('huge lists are data like any other', async () => {
    const { peer, received } = await attack()
    peer.sayRaw(`[[1,1,0,"take",[[${'0,'.repeat(500_000)}0]]]]`)
    assert.equal((received[0] as unknown[]).length, 500_001)
    peer.sayRaw(`[[1,2,0,"take",[${'0,'.repeat(100_000)}0]]]`)
    assert.equal(peer.closed, null)
    peer.end()
  })

  test('P29, P33: no prototype is reached or changed, whatever the key', async () => {
    const { peer, received } = await attack()
    const evil = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
    peer.sayRaw(`[[1,1,0,"take",[${evil},{"a":${evil}}]]]`)
    peer.sayRaw(`[[17,2,0,"take",[{"__proto__":["$m",[["__proto__",${evil}]]]},["$u"]],0]]`)
    peer.sayRaw(
      `[[17,3,0,"take",[["$e","__proto__","m",[["__proto__",${evil}],["constructor",1]]]],0]]`,
    )
    peer.sayRaw(`[[17,4,0,"take",[["$c",1,${evil}]],0]]`)
    peer.sayRaw('[[14,1,[1,[["__proto__",[0,{"polluted":1}]],["b",[0,1]]],[]]]]')
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    for (const value of [received[0], received[2]]) {
      assert.equal(Object.getPrototypeOf(value), Object.prototype)
      assert.equal(Object.hasOwn(value as object, '__proto__'), true)
    }
    const error = received[4] as Error
    assert.equal(Object.getPrototypeOf(error), Error.prototype)
    let id = 100
    for (const name of ['__proto__', 'constructor', 'valueOf', 'hasOwnProperty', 'call', 'apply']) {
      peer.say([1, (id += 10), 0, name, []], [2, 0, name, []])
      const answer = peer.take().at(-1)
      assert.equal(answer?.[2], 'PB_ERR_CALL_UNKNOWN_METHOD')
      peer.say([1, id + 1, 0, 'adder', []])
      const adder = (peer.take().at(-1)?.[2] as unknown[])[1] as number
      peer.say([1, id + 2, adder, name, []])
      assert.equal(peer.take().at(-1)?.[2], 'PB_ERR_CALL_UNKNOWN_METHOD')
    }
    peer.end()
  })

  test('P32: an error called like a member of Object is a plain Error', async () => {
    const { peer, received } = await attack()
    for (const [index, name] of ['constructor', 'toString', '__proto__', 'Function'].entries()) {
      peer.say(
        call(index + 1, [
          '$e',
          name,
          'm',
          [
            ['toString', 1],
            ['stack', 'x'],
            ['a', 2],
          ],
        ]),
      )
      const error = received[index] as Error & { a: number }
      assert.deepEqual(
        [Object.getPrototypeOf(error), error.name, error.a],
        [Error.prototype, name, 2],
      )
      assert.equal(typeof error.toString, 'function')
    }
    peer.end()
  })

  test('an id of one kind used as another is a refusal, or a dead end of the peer', async () => {
    const { peer, received, broker } = await attack()
    peer.say([1, 1, 0, 'score', []], [1, 2, 0, 'adder', []], [1, 3, 0, 'thing', []])
    peer.take()
    // A mirror called as function and as object, a function by a method, an object as function, a result that is data.
    peer.say([1, 4, 1, '', []], [1, 5, 1, 'state', []], [1, 6, 2, 'call', []], [1, 7, 3, '', []])
    peer.say([1, 8, 0, 'take', []], [1, 9, -8, 'x', []], [1, 10, -10, 'x', []])
    const codes = peer.take().map((message) => message[2])
    assert.deepEqual(codes, [
      'PB_ERR_REF_NOT_CALLABLE',
      'PB_ERR_REF_NOT_CALLABLE',
      'PB_ERR_CALL_UNKNOWN_METHOD',
      'PB_ERR_CALL_UNKNOWN_METHOD',
      undefined,
      'PB_ERR_REF_NOT_CALLABLE',
      'PB_ERR_REF_UNKNOWN',
    ])
    // Their root is the root's handle, and not counted.
    peer.say(call(12, ['$r', 0], ['$r', 0]))
    assert.deepEqual(received.slice(-2), [broker.root, broker.root])
    assert.equal(broker.stats.imported, 0)
    assert.equal(peer.closed, null)
    peer.end()
  })

  for (const other of [
    ['$f', 7],
    ['$c', 7, 1],
  ]) {
    test(`an id that was an object is no ${other[0] === '$f' ? 'function' : 'mirror'}: a breach`, async () => {
      const { peer } = await attack()
      peer.say(call(1, ['$r', 7], other))
      assert.equal(peer.closed?.code, 4400)
    })
  }

  test('O11: answers twice, late cancels, and events of what is over are dropped', async () => {
    const { peer, broker } = await attack()
    const promise = (broker.root as unknown as { x(): Promise<unknown> }).x()
    await settled()
    peer.say([3, 1, 'first'], [3, 1, 'second'], [4, 1, 'A', 'b'], [19, 1, ['$u'], 0])
    assert.equal(await promise, 'first')
    peer.say([1, 1, 0, 'take', []], [6, 1], [6, 1], [7, 9], [8, 9], [14, 9, [0, 1]])
    peer.say(call(2, ['$t', 1]), [10, 1], [9, 1, 'x'], [10, 1], [11, 1, 'A', 'b'])
    assert.equal(peer.closed, null)
    peer.end()
  })

  test('P49: a release that crosses a re-send leaves the object', async () => {
    const { peer, broker } = await attack()
    peer.say([1, 1, 0, 'thing', []], [1, 2, 0, 'thing', []], [5, 1, 1], [1, 3, 1, 'ping', []])
    assert.deepEqual(peer.take().at(-1), [3, 3, 'pong'])
    assert.equal(broker.stats.exported, 1)
    peer.say([5, 1, 1], [1, 4, 1, 'ping', []])
    assert.equal(peer.take().at(-1)?.[2], 'PB_ERR_REF_UNKNOWN')
    assert.equal(broker.stats.exported, 0)
    peer.end()
  })
})

test('O10: while one peer floods and breaks its connection, another is served', async () => {
  const { peer, broker } = await attack()
  const [left, right] = localPair({}, { root: reference({ ping: () => 'pong' } as never) })
  const remote = left.root as unknown as { ping(): Promise<unknown> }
  const flood = setInterval(() => {
    for (let count = 0; count < 200; count++)
      peer.say([2, 0, 'take', [1]], [1, ++id, 0, 'none', []])
  })
  let id = 0
  for (let count = 0; count < 20; count++) {
    assert.equal(await remote.ping(), 'pong')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  clearInterval(flood)
  peer.sayRaw('nonsense')
  assert.equal((await broker.closed).code, 4400)
  assert.equal(await remote.ping(), 'pong')
  right.close()
})
