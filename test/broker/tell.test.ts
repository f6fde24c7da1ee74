// Calls that nobody waits for, and calls that a failing transport keeps from leaving.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Broker, ConnectionLostError, localPair, release, tell } from 'fastify-perspective/broker'
import { Heard, Script, code, raw, settled, slowPair, tick } from './both-ends.js'

interface Echo {
  echo(value: unknown): unknown
}

describe('tell', () => {
  test('O19 nothing comes back, and every failure reaches onCallError of the other side', async () => {
    const heard = new Heard()
    const done: unknown[] = []
    const root = {
      note: (text: string) => void done.push(text),
      fail: () => {
        throw new Error('sync')
      },
      failLater: async () => {
        await tick()
        throw new Error('async')
      },
      // Kept: a collected one would be released, which is said.
      pass: (callback: () => void) => void done.push(callback),
    }
    const [a, b] = slowPair(1)
    const left = new Broker<typeof root>(a)
    const right = new Broker(b, { root, onCallError: heard.listen })
    await left.peer
    b.sent.length = 0
    tell(left.root).note('one')
    tell(left.root).fail()
    tell(left.root).failLater()
    assert.equal(raw(tell(left.root), 'nothing')(), undefined)
    await left.root.pass(() => undefined)
    await sleep(10)
    assert.deepEqual([done[0], typeof done[1]], ['one', 'function'])
    assert.deepEqual(
      heard.errors.map((error) => (error as Error).message),
      ['sync', '"nothing" is no method listed in "static remote"', 'async'],
    )
    assert.deepEqual(heard.calls, [
      { id: '', method: 'fail' },
      { id: '', method: 'nothing' },
      { id: '', method: 'failLater' },
    ])
    assert.deepEqual(b.sent.join(''), '[[3,1]]')
    left.close()
    right.close()
  })

  test('O6 an argument that cannot cross throws at the call; a promise has no place in it', async () => {
    const done: unknown[] = []
    const root = {
      note: (...args: unknown[]) => void done.push(args),
      add: (a: number, b: number) => a + b,
    }
    const [left, right] = localPair<object, typeof root>({}, { root })
    assert.throws(
      () => tell(left.root).note(() => 1, Symbol('x')),
      code('PB_ERR_CALL_UNSENDABLE', /args\[1\]/),
    )
    const earlier = left.root.add(1, 2)
    await earlier
    assert.throws(() => tell(left.root).note(earlier), code('PB_ERR_CALL_UNSENDABLE', /promise/))
    assert.throws(
      () => tell(left.root).note(raw(earlier, 'x')()),
      code('PB_ERR_CALL_UNSENDABLE', /promise/),
    )
    assert.equal(await left.root.add(1, 1), 2)
    assert.deepEqual(done, [])
    assert.throws(
      () => tell({} as never),
      /tell: expected a reference to an object of the other side, got object/,
    )
    await settled(left, right)
  })

  test('a callback can be told, and on a dead reference nothing happens', async () => {
    const got: unknown[] = []
    interface Hub {
      hook(callback: (text: string) => void): void
    }
    const hub: Hub & { kept?: unknown } = {
      hook: (callback) => {
        hub.kept = callback
      },
    }
    const [left, right] = localPair<object, Hub>({}, { root: hub })
    await left.root.hook((text) => void got.push(text))
    const kept = hub.kept as Parameters<typeof release>[0]
    const say = tell(kept as never) as unknown as (text: string) => void
    say('one')
    release(kept)
    say('two')
    await settled(left, right)
    assert.deepEqual(got, ['one'])
    left.close()
    assert.doesNotThrow(() => tell(left.root))
    assert.doesNotThrow(() => raw(tell(left.root), 'hook')())
  })
})

describe('a transport that fails', () => {
  test('P24 rejects calls that wait, the one that met the failure, and those that come later', async () => {
    const script = new Script()
    const broker = new Broker<Echo>(script)
    script.say([0, 1])
    await tick()
    const first = broker.root.echo('x')
    await tick()
    script.failure = new Error('broken pipe')
    const second = broker.root.echo('y'.repeat(1000))
    // Over what a frame should have: the outbox sends within this call.
    const third = broker.root.echo('z'.repeat(900_000))
    for (const [call, outcome] of [
      [first, 'unknown'],
      [second, 'unknown'],
      [third, 'not-sent'],
    ] as const) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof ConnectionLostError)
        assert.ok(outcome === 'unknown' || error.outcome === outcome)
        return true
      })
    }
    await assert.rejects(broker.root.echo('w'), code('PB_ERR_REF_DEAD'))
    assert.equal((await broker.closed).code, 1006)
    await settled(broker)
  })
})
