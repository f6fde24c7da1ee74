// Calls on results that never come, and results that are named in vain.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Broker, type RemoteError, localPair } from 'fastify-perspective/broker'
import { Heard, Script, code, raw, settled, tick } from './both-ends.js'
import { Chain, type Link, pair } from './chain.js'

describe('errors down the chain', () => {
  test('P64 P58 are the same error for every call after, once in the log', async () => {
    const heard = new Heard()
    const [left, right] = pair(heard)
    const a = left.root.fail()
    const b = a.next().next()
    for (const call of [a, b, b.depth(), left.root.take(1, a), left.root.next().add(b)]) {
      await assert.rejects(call, (error) => {
        assert.equal((error as RemoteError).data, 0)
        return code('BROKEN')(error)
      })
    }
    assert.deepEqual(heard.errors, [])
    // In one tick with the older promise: the call on it rejects, too.
    await assert.rejects(a.depth(), code('BROKEN'))
    left.close()
    right.close()
  })

  test('P23 a result that is no reference has no methods, whenever it is called', async () => {
    const [left, right] = pair()
    for (const name of ['nothing', 'data', 'depth'] as const) {
      const result = left.root[name]()
      const message = /^x: the result it was called on is no reference$/
      await assert.rejects(raw(result, 'x')(), code('PB_ERR_REF_NOT_CALLABLE', message))
      await assert.rejects(raw(result, 'x')(), code('PB_ERR_REF_NOT_CALLABLE', message))
    }
    await settled(left, right)
  })

  test('P52 a result that cannot cross is an error for the calls that name it: nothing gets round the wire', async () => {
    const heard = new Heard()
    const [left, right] = pair(heard)
    Chain.taken = []
    const secret = left.root.unsendable()
    const calls = [secret, left.root.take(secret), raw(secret, 'x')()]
    const errors = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)))
    const ids = errors.map((error) => (error as Error).message)
    assert.match(ids[0]!, /^unsendable failed/)
    assert.deepEqual(ids, [ids[0], ids[0], ids[0]])
    assert.deepEqual(Chain.taken, [])
    assert.equal(heard.errors.length, 1)
    await settled(left, right)
  })

  test('P64 a call whose arguments are refused unread is one, too', async () => {
    const [left, right] = localPair<object, Link>(
      {},
      { root: new Chain(), limits: { maxDepth: 2 } },
    )
    const a = left.root.take([[[[1]]]])
    await assert.rejects(left.root.take(a), code('PB_ERR_LIMIT_VALUE'))
    await assert.rejects(left.root.take([[[new Map()]]]), code('PB_ERR_LIMIT_VALUE'))
    await settled(left, right)
  })
})

describe('the wire', () => {
  test('results are known until the end of their tick, over several frames, and no longer', async () => {
    const script = new Script()
    new Broker(script, { root: new Chain() })
    await script.heard()
    script.say([1, 1, 0, 'next', []], 1)
    script.say([1, 2, -1, 'depth', []])
    script.say([1, 3, -1, 'depth', []], [17, 4, 0, 'take', [['$p', 2]], 0])
    const errors = (await script.heard()).slice(1)
    assert.deepEqual(errors[0], [3, 2, 1])
    assert.deepEqual(
      errors.slice(1).map((message) => message.slice(0, 3)),
      [
        [4, 3, 'PB_ERR_REF_UNKNOWN'],
        [4, 4, 'PB_ERR_REF_UNKNOWN'],
      ],
    )
    script.end()
  })

  test('P25 results that are refused before anybody waits for them are no unhandled rejection', async () => {
    const script = new Script()
    const root = {
      later: async () => {
        await tick()
        throw new Error('late')
      },
      take: () => 1,
    }
    const broker = new Broker(script, { root })
    const unhandled: unknown[] = []
    const listen = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listen)
    await script.heard()
    script.say(
      [1, 1, 0, 'later', []],
      [
        17,
        2,
        0,
        'take',
        [
          ['$p', 1],
          ['$p', 99],
        ],
        0,
      ],
      [
        18,
        0,
        'take',
        [
          ['$p', 1],
          ['$p', 99],
        ],
        0,
      ],
      [18, 0, 'take', [['$p', 1]], 0],
      [1, 3, -1, 'x', []],
    )
    await sleep(20)
    const answers = (await script.heard()).map((message) => message.slice(0, 3))
    assert.deepEqual(answers, [
      [4, 2, 'PB_ERR_REF_UNKNOWN'],
      [4, 1, 'PB_ERR_CALL_FAILED'],
      [4, 3, 'PB_ERR_CALL_FAILED'],
    ])
    process.off('unhandledRejection', listen)
    assert.deepEqual(unhandled, [])
    await settled(broker)
    script.end()
  })
})
