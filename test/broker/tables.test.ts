// Tables of what may be called: schemas, permissions, and tables that are wrong.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type Authorize,
  Referenceable,
  type StandardSchemaV1,
  localPair,
  reference,
} from 'fastify-perspective/broker'
import { z } from 'zod'
import { Heard, code, raw, settled } from './both-ends.js'
import { Board } from './board.js'

describe('tables', () => {
  test('arguments are checked: schemas, optional, rest, unchecked', async () => {
    const board = new Board()
    const [left, right] = localPair({}, { root: board, authorize: () => true })
    const call = (name: string, ...args: unknown[]): Promise<unknown> =>
      raw(left.root, name)(...args)
    await call('move', { x: 1, extra: 'dropped' })
    await call('move', { x: 1 }, 'a')
    await call('move', { x: 1 }, undefined)
    await call('sum', 'a', 1, 2, 3)
    await call('sum', 'a')
    assert.deepEqual(board.seen, [
      [{ x: 1 }, undefined],
      [{ x: 1 }, 'a'],
      [{ x: 1 }, undefined],
      ['a', 1, 2, 3],
      ['a'],
    ])
    assert.equal(await call('free', 1, {}, null), 3)
    assert.equal(await call('freeToo', 1, {}, null), 3)
    const refused: [RegExp, string, ...unknown[]][] = [
      [/^move: args\[0\]: /, 'move'],
      [/^move: args\[0\]\.x: /, 'move', { x: 'one' }],
      [/^move: args\[1\]: /, 'move', { x: 1 }, 2],
      [/^move: expected at most 2 arguments, got 3/, 'move', { x: 1 }, 'a', 'b'],
      [/^sum: args\[2\]: /, 'sum', 'a', 1, 'two'],
      [/^sum: args\[0\]: /, 'sum'],
      [/^listed: expected at most 0 arguments, got 1/, 'listed', undefined],
    ]
    for (const [message, name, ...args] of refused) {
      await assert.rejects(call(name, ...args), code('PB_ERR_CALL_ARGUMENTS', message))
    }
    assert.equal(board.seen.length, 5)
    await settled(left, right)
  })

  test('an asynchronous schema is an error of the table, in the log', async () => {
    const heard = new Heard()
    const unhandled: unknown[] = []
    const listen = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listen)
    const schema: StandardSchemaV1<string> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: async () => Promise.reject(new Error('from the schema')),
      },
    }
    const root = reference<{ take(x: string): void }>({ take: () => undefined }, { take: [schema] })
    const [left, right] = localPair({}, { root, onCallError: heard.listen })
    await assert.rejects(raw(left.root, 'take')('x'), code('PB_ERR_CALL_FAILED'))
    assert.match(
      (heard.errors[0] as Error).message,
      /take: the schema of args\[0\] is asynchronous/,
    )
    await settled(left, right)
    process.off('unhandledRejection', listen)
    assert.deepEqual(unhandled, [])
  })

  const answers: [name: string, authorize: Authorize | undefined, isAllowed: boolean][] = [
    ['sync yes', () => true, true],
    ['async yes', async () => true, true],
    ['sync no', () => false, false],
    ['async no', async () => false, false],
    ['nobody to ask', undefined, false],
  ]
  for (const [name, authorize, isAllowed] of answers) {
    test(`requires: ${name}`, async () => {
      const asked: unknown[] = []
      const root = new Board()
      const listen =
        authorize && ((requires: readonly string[]) => (asked.push(requires), authorize(requires)))
      const [left, right] = localPair({}, { root, authorize: listen })
      if (isAllowed) assert.equal(await raw(left.root, 'guarded')(), 'guarded')
      else {
        const message = /^guarded: requires the permission see, touch$/
        await assert.rejects(raw(left.root, 'guarded')(), code('PB_ERR_CALL_DENIED', message))
        // The permission comes before the arguments: nothing is learned of them.
        await assert.rejects(raw(left.root, 'guarded')(1), code('PB_ERR_CALL_DENIED'))
      }
      assert.deepEqual(asked[0], authorize && ['see', 'touch'])
      assert.equal(await raw(left.root, 'listed')(), 'yes')
      await settled(left, right)
    })
  }

  test('an authorize that fails is no permission', async () => {
    for (const authorize of [
      (): never => {
        throw new Error('db')
      },
      async () => Promise.reject(new Error('db')),
    ]) {
      const heard = new Heard()
      const [left, right] = localPair(
        {},
        { root: new Board(), authorize, onCallError: heard.listen },
      )
      await assert.rejects(raw(left.root, 'guarded')(), code('PB_ERR_CALL_FAILED'))
      assert.equal((heard.errors[0] as Error).message, 'db')
      await settled(left, right)
    }
  })

  const wrong: [name: string, remote: unknown, message: RegExp][] = [
    ['none', undefined, /class Wrong crosses by reference and needs a table.*got undefined/],
    ['text', 'ping', /got string/],
    [
      'a method that is not there',
      { pong: true },
      /class Wrong: remote\.pong is listed, and there is no such method/,
    ],
    ['a reserved name', { toJSON: true }, /remote\.toJSON is a reserved name/],
    [
      'a bare schema',
      { ping: z.string() },
      /remote\.ping: expected one schema for each parameter in an array/,
    ],
    ['a rule that is none', { ping: false }, /remote\.ping: expected true, .* got boolean/],
    [
      'an unknown key',
      { ping: { arg: [] } },
      /remote\.ping\.arg: expected only args, rest and requires/,
    ],
    [
      'a schema that is none',
      { ping: [1] },
      /remote\.ping\[0\]: expected a Standard Schema, got number/,
    ],
    [
      'args that are none',
      { ping: { args: 1 } },
      /remote\.ping\.args: expected an array of schemas or unchecked/,
    ],
    [
      'rest that is none',
      { ping: { args: [], rest: true } },
      /remote\.ping\.rest: expected a Standard Schema/,
    ],
    [
      'requires that is empty',
      { ping: { requires: '' } },
      /remote\.ping\.requires: expected a permission's name/,
    ],
    ['requires that is a number', { ping: { requires: [1] } }, /remote\.ping\.requires/],
  ]
  for (const [name, remote, message] of wrong) {
    test(`a wrong table says what is wrong: ${name}`, async () => {
      class Wrong extends Referenceable {
        static readonly remote = remote
        ping(): void {}
      }
      const isRight = (error: unknown): true => {
        assert.ok(error instanceof TypeError)
        assert.match(error.message, message)
        return true
      }
      assert.throws(() => localPair({ root: new Wrong() }), isRight)
      if (remote !== undefined && typeof remote === 'object') {
        const text = new RegExp(message.source.replace('class Wrong', 'object'))
        assert.throws(() => reference({ ping: () => 1 }, remote as never), text)
      }
      // Who sends the object hears of it, not who calls it.
      const heard = new Heard()
      const [left, right] = localPair(
        {},
        { root: { give: () => new Wrong(), take: () => 1 }, onCallError: heard.listen },
      )
      await assert.rejects(
        raw(left.root, 'take')(() => 1, new Wrong()),
        isRight,
      )
      await assert.rejects(raw(left.root, 'give')(), code('PB_ERR_CALL_FAILED'))
      isRight(heard.errors[0])
      // A root that was promised: the log hears of it, the connection ends, nothing is unhandled.
      const unhandled: unknown[] = []
      const listen = (reason: unknown): void => void unhandled.push(reason)
      process.on('unhandledRejection', listen)
      const [page, server] = localPair(
        {},
        { root: Promise.resolve(new Wrong()), onCallError: heard.listen },
      )
      await assert.rejects(raw(page.root, 'ping')(), code('PB_ERR_CONNECTION_LOST'))
      assert.equal((await server.closed).code, 1011)
      isRight(heard.errors[1])
      await settled(left, right, page, server)
      process.off('unhandledRejection', listen)
      assert.deepEqual(unhandled, [])
    })
  }
})
