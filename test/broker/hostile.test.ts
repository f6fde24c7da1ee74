// Peers that lie, beyond docs/conformance.json. Whatever they say ends their own connection, or is refused; nothing else happens.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { attack, call, nest } from '../support/attack.js'
import { binaryFrame, settled } from '../support/scripted-peer.js'

const polluted: string[] = []
before(() => {
  polluted.push(...Object.getOwnPropertyNames(Object.prototype))
})
after(() => {
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), polluted)
})

/** Says frames to a fresh broker, none of which may throw; the last must end the connection with 4400. */
function breach(name: string, ...frames: (string | Uint8Array | unknown[])[]): void {
  test(`breach: ${name}`, async () => {
    const { peer, broker, received, faults } = await attack()
    for (const [index, frame] of frames.entries()) {
      assert.equal(peer.closed, null, `frame ${String(index - 1)} was no breach by itself`)
      if (Array.isArray(frame)) peer.say(...frame)
      else peer.sayRaw(frame)
      await settled()
    }
    const { code, reason } = await broker.closed
    assert.equal(code, 4400)
    assert.match(reason, /^PB_ERR_WIRE_PROTOCOL: /)
    assert.ok(Buffer.byteLength(reason) <= 123)
    peer.say([1, 1000, 0, 'take', ['after the end']])
    assert.equal(received.includes('after the end'), false)
    assert.deepEqual(faults, [])
    const { exported, imported, pending, running, streams, signals } = broker.stats
    assert.deepEqual([exported, imported, pending, running, streams, signals], [0, 0, 0, 0, 0, 0])
  })
}

describe('O10, P11, P62, P85: one defined end', () => {
  for (const id of [0, -1, 1.5, 2 ** 53, '1', null, true, [1], {}, '__proto__']) {
    const shown = JSON.stringify(id)
    breach(`a call id of ${shown}`, [[1, id, 0, 'take', []]])
    breach(`an answer to ${shown}`, [[3, id, 1]])
    breach(`a cancel of ${shown}`, [[6, id]])
    breach(`P85: a release of ${shown}`, [[1, 1, 0, 'thing', []]], [[5, id === 1 ? 2 : id, 1]])
    breach(`P85: a release with a count of ${shown}`, [[1, 1, 0, 'thing', []]], [[5, 1, id]])
    breach(`credit of ${shown}`, [[1, 1, 0, 'stream', []]], [[12, 1, id]])
    breach(`a stop of ${shown}`, [[1, 1, 0, 'stream', []]], [[13, id]])
    breach(`a result called ${shown} as argument`, [call(1, ['$p', id])])
    breach(`a stream called ${shown}`, [call(1, ['$t', id])])
  }
  for (const id of [-1, 1.5, 2 ** 53, '1', null, true, [1], {}, '__proto__']) {
    const shown = JSON.stringify(id)
    breach(`an object called ${shown}`, [call(1, ['$r', id])])
    breach(`a function called ${shown}`, [call(1, ['$f', id])])
    breach(`home to ${shown}`, [call(1, ['$y', id])])
    breach(`a signal called ${shown}`, [call(1, ['$a', id])])
    breach(`a mirror called ${shown}`, [call(1, ['$c', id, 1])])
    breach(`a head of ${shown} bytes`, [[17, 1, 0, 'take', [], id === 0 ? 1 : id]])
    breach(`bytes of a length of ${shown}`, [call(1, ['$b', 1, id])])
    breach(`bytes of the kind ${shown}`, [call(1, ['$b', id, 0])])
  }
  for (const target of [1.5, 2 ** 53, '0', null, [0], { a: 0 }]) {
    breach(`a target of ${JSON.stringify(target)}`, [[1, 1, target, 'take', []]])
  }
  for (const kind of [-1, 15, 16, 21, 32, 33, 1.5, '1', null, [1], { valueOf: 1, toString: 1 }]) {
    breach(`a kind of ${JSON.stringify(kind)}`, [[kind, 1, 0, 'take', [], 0]])
  }
  breach('a signal that lives, called 0', [call(1, ['$a', 0])])
  breach('an aborted signal with an id', [call(1, ['$a', 1, 'x'])])
  breach('an unknown kind of bytes', [call(1, ['$b', 13, 0])])
  breach('a release twice', [[1, 1, 0, 'thing', []]], [[5, 1, 1]], [[5, 1, 1]])
  breach('a release of more than was given', [[1, 1, 0, 'thing', []]], [[5, 1, 2]])
  breach('P85: a release of the root after it was sent home', [call(1, ['$y', 0])], [[5, 0, 1]])
  breach('home to what was released', [[1, 1, 0, 'thing', []]], [[5, 1, 1], call(2, ['$y', 1])])
  breach('a stream id as an object of ours', [[1, 1, 0, 'stream', []]], [call(2, ['$y', 1])])
  breach('a call id that a refused call had', [[1, 5, 0, 'none', []]], [[1, 5, 0, 'take', []]])
  breach('a stream twice', [call(1, ['$t', 1])], [call(2, ['$t', 1])])
  breach('a stream twice in one message', [call(1, ['$t', 1], ['$t', 1])])
  breach('a stream of a lower id', [call(1, ['$t', 2])], [call(2, ['$t', 1])])
  breach('a chunk that nobody asked for', [call(1, ['$t', 1])], [[9, 1, 'x']])
  breach('an end of a stream to come', [[10, 1]])
  breach('a change of a state that is deep', [call(1, ['$c', 1, {}])], [[14, 1, nest(80)]])
  breach('a change far away in a list', [call(1, ['$c', 1, []])], [[14, 1, [1, [[5, [0, 1]]], []]]])
  breach(
    'a change of a key in a list',
    [call(1, ['$c', 1, []])],
    [[14, 1, [1, [['length', [0, 9]]], []]]],
  )
  breach(
    'a list made longer by its end',
    [call(1, ['$c', 1, []])],
    [[14, 1, [1, [], [2 ** 32 - 2]]]],
  )
  breach('a copy in place of its own state', [call(1, ['$o', 'a', ['$o', 'a', {}]])])
  breach('a hello of great depth', [[0, 1, nest(80)]])
  breach('a frame that is too long', '[' + ' '.repeat(1_048_576 + 64) + ']')
  breach('1 MB of [', '['.repeat(1_000_000))
  breach('1 MB of nested lists with a tag', tagged('['.repeat(500_000) + ']'.repeat(500_000)))
  breach(
    '1 MB of nested objects with a tag',
    tagged('{"a":'.repeat(170_000) + '1' + '}'.repeat(170_000)),
  )
  breach('nested copies', tagged('["$o","a",'.repeat(90_000) + '1' + ']'.repeat(90_000)))
  breach('nested mirrors', tagged('["$c",1,'.repeat(100_000) + '1' + ']'.repeat(100_000)))
  breach('text that is no UTF-8', new Uint8Array([4, 0, 0, 0, 0x5b, 0x22, 0xff, 0x5d]))
  for (const length of [0, 1, 3])
    breach(`a head of ${String(length)} bytes`, new Uint8Array(length))
  breach('a head that says more than there is', binaryFrame([], new Uint8Array(3), 6))
  breach('a head that says 4 GB', binaryFrame([], new Uint8Array(0), 2 ** 32 - 1))
  breach('a head that says less than there is', binaryFrame([], new Uint8Array(0), 1))
  breach('bytes behind that nobody speaks of', binaryFrame([], new Uint8Array(1)))
  breach(
    'bytes of a message that no tag speaks of',
    binaryFrame([[17, 1, 0, 'take', [], 1]], new Uint8Array(1)),
  )
  for (const key of ['then', 'toJSON']) {
    breach(`P31: a function called ${key}`, [call(1, { [key]: ['$f', 1] })])
    breach(
      `P31: a function called ${key}, in a list, sent home`,
      [[1, 1, 0, 'adder', []]],
      [call(2, [{ [key]: ['$y', 1] }])],
    )
    breach(`P31: a function called ${key} in an error`, [
      call(1, ['$e', 'E', '', [[key, ['$f', 1]]]]),
    ])
    breach(`P31: a function called ${key} in a copy`, [call(1, ['$o', 'a', { [key]: ['$f', 1] }])])
    breach(`P31: a function called ${key} in a mirrored state`, [
      call(1, ['$c', 1, { [key]: ['$f', 2] }]),
    ])
    breach(
      `P31: a function called ${key} in a change`,
      [call(1, ['$c', 1, {}])],
      [[30, 1, [1, [[key, [0, ['$f', 2]]]], []], 0]],
    )
  }
})

function tagged(argument: string): string {
  return `[[17,1,0,"take",[${argument}],0]]`
}
