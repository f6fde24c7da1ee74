// Mistakes of the application's own: none opens a door, hangs a call, or keeps what should have ended.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import {
  type Authorize,
  Broker,
  Referenceable,
  type RemoteMethods,
  transportPair,
} from 'fastify-perspective/broker'
import { Script, code, settled, tick } from './both-ends.js'

interface Echo {
  echo(value: unknown): unknown
}

class Guarded extends Referenceable {
  static readonly remote: RemoteMethods<Guarded> = { wipe: { requires: 'chat.wipe' } }
  wiped = 0
  wipe(): void {
    this.wiped += 1
  }
}

describe('an authorize that answers anything but true', () => {
  for (const answer of [
    undefined,
    null,
    1,
    'yes',
    {},
    [],
    Promise.resolve(1),
    Promise.resolve({}),
  ]) {
    test(`denies: ${inspect(answer)}`, async () => {
      const [left, right] = transportPair()
      const root = new Guarded()
      const far = new Broker(right, { root, authorize: (() => answer) as unknown as Authorize })
      const near = new Broker<Guarded>(left)
      await assert.rejects(near.root.wipe(), code('PB_ERR_CALL_DENIED'))
      assert.equal(root.wiped, 0)
      await settled(near, far)
      near.close()
    })
  }
})

test('an info that is no JSON is a TypeError at once', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  for (const info of [() => 1, Symbol('s'), 1n, cycle]) {
    assert.throws(() => new Broker(transportPair()[0], { info }), TypeError)
  }
})

test('a close code that the platform does not send still hangs up', async () => {
  const codes: number[] = []
  class Strict extends Script {
    override close(closeCode: number): void {
      codes.push(closeCode)
      if (closeCode === 1011) throw new Error('InvalidAccessError')
    }
  }
  const broker = new Broker(new Strict())
  broker.close(1011)
  assert.deepEqual(codes, [1011, 1000])
  assert.equal((await broker.closed).code, 1011)
})

describe('errors in one another', () => {
  test('are told once each, in no time', async () => {
    const one = new Error('one') as Error & Record<string, unknown>
    const two = new Error('two', { cause: one }) as Error & Record<string, unknown>
    // Told again at every level this would be more messages than there is time for.
    Object.assign(one, { cause: two, self: one, other: two, list: [one, two], callback: () => 1 })
    Object.assign(two, { self: two, other: one, again: one })
    const [left, right] = transportPair()
    const far = new Broker(right, { root: { echo: (value: unknown) => value } })
    const near = new Broker<Echo>(left)
    const echoed = (await near.root.echo(one)) as typeof one
    assert.equal(echoed.message, 'one')
    assert.equal((echoed['other'] as Error).message, 'two')
    assert.equal('self' in echoed, false)
    // An error met twice side by side is no cycle.
    const [first, second] = (await near.root.echo([two, two])) as Error[]
    assert.deepEqual([first?.message, second?.message], ['two', 'two'])
    near.close()
    await far.closed
  })
})

describe('a connection closed in the middle', () => {
  test('of a method that never ends: nothing is held for it', async () => {
    let closing: Broker | null = null
    const root = {
      quit: () => {
        closing?.close()
        return new Promise<void>(() => undefined)
      },
    }
    for (const kind of ['call', 'tell'] as const) {
      const script = new Script()
      const broker: Broker = new Broker(script, { root })
      closing = broker
      script.say(kind === 'call' ? [1, 1, 0, 'quit', []] : [2, 0, 'quit', []])
      assert.deepEqual(Object.values(broker.stats), [0, 0, 0, 0, 0, 0])
      await tick()
    }
  })

  test('of writing an answer or arguments: nothing is lent to nobody', async () => {
    let closing: Broker | null = null
    const value = {
      get first() {
        closing?.close()
        return () => 1
      },
    }
    const script = new Script()
    const answering: Broker = new Broker(script, { root: { give: () => value } })
    closing = answering
    script.say([1, 1, 0, 'give', []])
    assert.deepEqual(Object.values(answering.stats), [0, 0, 0, 0, 0, 0])
    const calling = new Broker<Echo>(new Script())
    closing = calling
    await assert.rejects(calling.root.echo(value))
    assert.deepEqual(Object.values(calling.stats), [0, 0, 0, 0, 0, 0])
  })
})
