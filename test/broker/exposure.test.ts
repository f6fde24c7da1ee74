// What of an object can be called: its table, and nothing else.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Broker, localPair, reference } from 'fastify-perspective/broker'
import { Heard, Script, code, raw, settled } from './both-ends.js'
import { Board } from './board.js'

const NAMES = [
  ...[
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'isPrototypeOf',
    'toLocaleString',
  ],
  ...[
    '__defineGetter__',
    '__lookupGetter__',
    'propertyIsEnumerable',
    'prototype',
    'then',
    'toJSON',
    '',
  ],
  ...[
    'field',
    'value',
    'getter',
    'inherited',
    'unlisted',
    'hidden',
    'seen',
    'remote',
    'constructor.constructor',
  ],
  ...['call', 'apply', 'bind', 'map', 'push', 'join', 'length', 'name', 'at', 'listed ', 'Listed'],
]

describe('nothing is reachable that is not listed', () => {
  test('P28 P29 P30 P33 on classes, literals and functions, whatever the name', async () => {
    const board = new Board()
    const literal = Object.assign(Object.create({ inheritedToo: () => 'no' }) as object, {
      listed: () => 'yes',
      value: 1,
      toString: () => 'no',
      _private: () => 'no',
      $gt: () => 'no',
    })
    const strict = reference<{ listed(): string }>(
      { listed: () => 'yes', unlisted: () => 'no' } as { listed(): string },
      { listed: true },
    )
    const list = Object.assign([1], { at: 1 })
    const give = {
      all: () => [board, reference(literal as never), strict, () => 'yes'],
      list: () => list,
    }
    const heard = new Heard()
    const script = new Script()
    const broker = new Broker(script, { root: give, onCallError: heard.listen })
    script.say([1, 1, 0, 'all', []], [1, 2, 0, 'list', []])
    assert.equal((await script.heard()).length, 3)
    let id = 2
    const names = [...NAMES, 'inheritedToo', '_private', '$gt']
    for (const target of [1, 2, 3, 4]) {
      for (const name of names) {
        if (target === 4 && name === '') continue
        id += 1
        script.say([1, id, target, name, []])
        const [answer] = await script.heard()
        assert.deepEqual(
          answer?.slice(0, 3),
          [4, id, 'PB_ERR_CALL_UNKNOWN_METHOD'],
          `${String(target)}.${name}`,
        )
      }
    }
    // Pipelined onto data, an array included.
    id += 1
    script.say(
      [1, id, 0, 'list', []],
      ...NAMES.map((name) => [1, ++id, -(id - 1 - NAMES.indexOf(name)), name, []]),
    )
    // In two frames; the mark between them is no answer.
    const answers = (await script.heard()).filter((message) => Array.isArray(message))
    assert.equal(answers.length, NAMES.length + 1)
    for (const answer of answers.slice(1)) {
      assert.equal(answer[2], 'PB_ERR_REF_NOT_CALLABLE')
    }
    for (const [target, name] of [
      [1, 'listed'],
      [2, 'listed'],
      [3, 'listed'],
      [4, ''],
    ] as const) {
      id += 1
      script.say([1, id, target, name, []])
      assert.deepEqual(await script.heard(), [[3, id, 'yes']])
    }
    assert.equal(board.ran, 0)
    assert.deepEqual(heard.errors, [])
    script.say([5, 1, 1, 2, 1, 3, 1, 4, 1])
    await settled(broker)
    script.end()
  })

  test('a listed method that is gone, and a method added later, are not there', async () => {
    const root: Record<string, unknown> = { one: () => 1, two: () => 2 }
    const [left, right] = localPair({}, { root })
    assert.equal(await raw(left.root, 'one')(), 1)
    delete root['one']
    root['two'] = 'text'
    root['three'] = () => 3
    for (const name of ['one', 'two', 'three']) {
      await assert.rejects(raw(left.root, name)(), code('PB_ERR_CALL_UNKNOWN_METHOD'))
    }
    await settled(left, right)
  })

  test('a very long name is refused in few words', async () => {
    const [left, right] = localPair({}, { root: new Board() })
    await assert.rejects(
      raw(left.root, 'x'.repeat(9999))(),
      (error) => (error as Error).message.length < 200,
    )
    await settled(left, right)
  })
})
