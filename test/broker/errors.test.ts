// What a caller sees of an error, and what it never sees.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import {
  Broker,
  CallError,
  PerspectiveError,
  RemoteError,
  localPair,
  reference,
} from 'fastify-perspective/broker'
import { Heard, Script, code, raw, settled, tick } from './both-ends.js'

const SECRET = 'select password from auth_user'

describe('a RemoteError', () => {
  test('T51 T52 T56 T57 keeps code, message and data, sync and async, and nothing is logged', async () => {
    const heard = new Heard()
    const data = { field: 'name', at: new Date(0), map: new Map([[1, 2n]]) }
    const root = {
      fail: () => {
        throw new RemoteError('NAME_TAKEN', 'that name is taken', data)
      },
      failLater: async () => {
        await tick()
        throw new RemoteError('NAME_TAKEN', 'that name is taken', data)
      },
    }
    const [left, right] = localPair<object, typeof root>({}, { root, onCallError: heard.listen })
    for (const call of [left.root.fail(), left.root.failLater()]) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof RemoteError && error instanceof PerspectiveError)
        assert.equal(error.name, 'RemoteError')
        assert.equal(error.code, 'NAME_TAKEN')
        assert.equal(error.message, 'that name is taken')
        assert.deepEqual(error.data, data)
        return true
      })
    }
    assert.deepEqual(heard.errors, [])
    await settled(left, right)
  })

  test('T54 T55 T58 T59 T64 of a subclass arrives as a RemoteError of its code', async () => {
    class NameTaken extends RemoteError<string> {
      readonly inner = SECRET
      constructor() {
        super('NAME_TAKEN', 'taken', 'ada')
      }
    }
    const root = {
      fail: () => {
        throw new NameTaken()
      },
    }
    const [left, right] = localPair<object, typeof root>({}, { root })
    await assert.rejects(left.root.fail(), (error) => {
      assert.ok(error instanceof RemoteError)
      assert.equal(error.data, 'ada')
      assert.doesNotMatch(inspect(error), /select/)
      return code('NAME_TAKEN', /^taken$/)(error)
    })
    await settled(left, right)
  })

  test('T65 is still itself after a second hop through a middle process', async () => {
    const heard = new Heard()
    const far = {
      fail: () => {
        throw new RemoteError('GONE', 'gone', { id: 7 })
      },
      crash: () => {
        throw new Error(SECRET)
      },
    }
    const [middleToFar, farEnd] = localPair<object, typeof far>({}, { root: far })
    const middle = {
      fail: async (): Promise<void> => middleToFar.root.fail(),
      crash: async (): Promise<void> => middleToFar.root.crash(),
    }
    const [left, right] = localPair<object, typeof middle>(
      {},
      { root: middle, onCallError: heard.listen },
    )
    await assert.rejects(left.root.fail(), (error) => {
      assert.deepEqual((error as RemoteError).data, { id: 7 })
      return code('GONE')(error)
    })
    await assert.rejects(left.root.crash(), code('PB_ERR_CALL_FAILED', /^crash failed/))
    assert.equal(heard.errors.length, 1)
    await settled(left, right, middleToFar, farEnd)
  })

  test('P71 P54 crosses without its data where that cannot, whole and with its message', async () => {
    const heard = new Heard()
    async function* numbers(): AsyncGenerator<number> {
      yield 1
    }
    const message =
      'the message of it, long enough to be cut somewhere where it must not be '.repeat(3)
    const cause = Object.assign(new Error('x'), {
      half: [numbers(), () => 1, Symbol('s')],
      whole: 7,
    })
    const root = {
      unsendable: () => {
        throw new RemoteError('ODD', message, [() => 1, Symbol('x')])
      },
      huge: () => {
        throw new RemoteError('ODD', 'm'.repeat(3_000_000), 'd')
      },
      half: () => {
        throw new RemoteError('ODD', 'half', cause)
      },
    }
    const [left, right] = localPair<object, typeof root>({}, { root, onCallError: heard.listen })
    await assert.rejects(left.root.unsendable(), (error) => {
      assert.equal((error as RemoteError).data, undefined)
      assert.equal((error as Error).message, message)
      return code('ODD')(error)
    })
    await assert.rejects(left.root.huge(), code('ODD', /^m{100}$/))
    assert.equal(heard.errors.length, 2)
    await assert.rejects(left.root.half(), (error) => {
      const { data } = error as RemoteError<{ whole: number; half?: unknown }>
      assert.equal(data?.whole, 7)
      assert.equal('half' in data, false)
      return true
    })
    await settled(left, right)
  })

  test('a reference in its data is counted and can be given back', async () => {
    const root = {
      fail: () => {
        throw new RemoteError('HELD', 'held', { by: reference({ name: () => 'ada' }) })
      },
    }
    const [left, right] = localPair<object, typeof root>({}, { root })
    const error: unknown = await left.root.fail().catch((reason: unknown) => reason)
    const { by } = (error as RemoteError).data as { by: Disposable }
    assert.equal(await raw(by, 'name')(), 'ada')
    by[Symbol.dispose]()
    await settled(left, right)
  })

  test('has a code of the application’s own', () => {
    for (const wrong of ['', 'PB_ERR_X', 7, undefined]) {
      assert.throws(() => new RemoteError(wrong as string, 'x'), /a word of your own.*got/s)
    }
  })
})

describe('any other error', () => {
  const thrown: [name: string, value: unknown][] = [
    ['an Error with a stack and SQL in it', Object.assign(new Error(SECRET), { sql: SECRET })],
    ['a TypeError', new TypeError(SECRET)],
    ['text', SECRET],
    ['null', null],
    ['undefined', undefined],
    ['an object', { code: 'LOOKS_FINE', message: SECRET, data: SECRET }],
    ['a CallError of another call', new CallError('PB_ERR_CALL_DENIED', SECRET)],
  ]
  for (const [name, value] of thrown) {
    test(`T49 T50 T53 P16 P17 P69 O8 ${name}: the caller gets an id, the log the rest`, async () => {
      const heard = new Heard()
      const root = {
        fail: () => {
          throw value
        },
        failLater: async () => Promise.reject(value),
      }
      const script = new Script()
      const broker = new Broker(script, { root, onCallError: heard.listen })
      await script.heard()
      script.say([1, 1, 0, 'fail', []], [1, 2, 0, 'failLater', []])
      const answers = await script.heard()
      assert.equal(answers.length, 2)
      answers.forEach(([kind, id, errorCode, message, ...rest], index) => {
        assert.deepEqual([kind, id, errorCode, rest], [4, index + 1, 'PB_ERR_CALL_FAILED', []])
        assert.equal(heard.errors[index], value)
        assert.notEqual(heard.calls[index]!.id, '')
        assert.ok((message as string).endsWith(heard.calls[index]!.id))
        assert.doesNotMatch(JSON.stringify(answers), /select|\.ts|\.js|at /)
      })
      assert.deepEqual(
        heard.calls.map(({ method }) => method),
        ['fail', 'failLater'],
      )
      assert.notEqual(heard.calls[0]!.id, heard.calls[1]!.id)
      await settled(broker)
      script.end()
    })
  }

  test('T60 T61 T66 an unknown method and one that fails: the error shows its message and can be logged', async () => {
    const root = {
      fail: () => {
        throw new Error(SECRET)
      },
    }
    const [left, right] = localPair<object, typeof root>({}, { root })
    const error: unknown = await left.root.fail().catch((reason: unknown) => reason)
    assert.ok(error instanceof CallError)
    assert.match(inspect(error), /CallError: fail failed; the log of its side says why/)
    assert.doesNotMatch(inspect(error), /select/)
    const unknown: unknown = await raw(left.root, 'nothing')().catch((reason: unknown) => reason)
    assert.match(inspect(unknown), /"nothing" is no method listed in "static remote"/)
    await settled(left, right)
  })

  test('O9 wrong arguments are refused without a word of them', async () => {
    const heard = new Heard()
    const root = reference<{ one(): void }>({ one: () => undefined }, { one: true })
    const [left, right] = localPair<object, typeof root>({}, { root, onCallError: heard.listen })
    await assert.rejects(raw(left.root, 'one')(SECRET), (error) => {
      assert.doesNotMatch(inspect(error), /select/)
      return code('PB_ERR_CALL_ARGUMENTS', /at most 0 arguments, got 1/)(error)
    })
    assert.deepEqual(heard.errors, [])
    await settled(left, right)
  })

  test('P25 a log that fails, and a rejection that nobody awaits, end nothing', async () => {
    const root = {
      fail: async () => Promise.reject(new Error('x')),
      ok: () => 1,
    }
    const onCallError = (): never => {
      throw new Error('the disk is full')
    }
    const [left, right] = localPair<object, typeof root>({}, { root, onCallError })
    void left.root.fail()
    await assert.rejects(left.root.fail(), code('PB_ERR_CALL_FAILED'))
    assert.equal(await left.root.ok(), 1)
    await settled(left, right)
  })
})
