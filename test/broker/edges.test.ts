// Where two rules meet: tags and values that are left out, tells and limits, roots and references, functions and handles.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Broker,
  Referenceable,
  type Remote,
  type RemoteMethods,
  release,
  transportPair,
} from 'fastify-perspective/broker'
import { Heard, Script, code, settled } from './both-ends.js'

interface Echo {
  echo(value: unknown): unknown
}

test('a tagged answer or error that has no value has none', async () => {
  const script = new Script()
  const broker = new Broker<Echo>(script)
  script.say([0, 1])
  const calls = [broker.root.echo(1), broker.root.echo(2)]
  await script.heard()
  script.say([19, 1, 0], [20, 2, 'CODE', 'text', 0])
  assert.equal(await calls[0], undefined)
  await assert.rejects(calls[1]!, { code: 'CODE', data: undefined })
  script.end()
})

test('tells whose methods run count as calls do, until they end', async () => {
  const script = new Script()
  const heard = new Heard()
  const ends: (() => void)[] = []
  const root = { wait: () => new Promise<void>((resolve) => ends.push(resolve)) }
  const broker = new Broker(script, {
    root,
    limits: { maxPendingCalls: 3 },
    onCallError: heard.listen,
  })
  await script.heard()
  script.say([2, 0, 'wait', []], [2, 0, 'wait', []])
  script.say([1, 1, 0, 'wait', []])
  assert.equal(broker.stats.running, 3)
  script.say([2, 0, 'wait', []])
  assert.equal(ends.length, 3)
  code('PB_ERR_LIMIT_PENDING_CALLS')(heard.errors[0])
  script.say([1, 2, 0, 'wait', []])
  assert.deepEqual((await script.heard())[0]?.slice(0, 3), [4, 2, 'PB_ERR_LIMIT_PENDING_CALLS'])
  for (const end of ends) end()
  assert.deepEqual(await script.heard(), [[3, 1]])
  assert.equal(broker.stats.running, 0)
  script.end()
})

class Api extends Referenceable {
  static readonly remote: RemoteMethods<Api> = { self: true, say: true }
  self(): this {
    return this
  }
  say(): string {
    return 'hello'
  }
}

test('an object that was lent before it became the root keeps its one handle', async () => {
  const root = new Api()
  let come: (value: Api) => void = () => undefined
  const [left, right] = transportPair()
  const far = new Broker<{ early(value: Api): void }>(right, {
    root: new Promise<Api>((resolve) => (come = resolve)),
  })
  const seen: Remote<Api>[] = []
  const near = new Broker<Api>(left, {
    root: { early: (value: Remote<Api>) => void seen.push(value) },
  })
  await far.root.early(root)
  come(root)
  await near.peer
  const early = seen.pop()!
  assert.equal(await early.say(), 'hello')
  assert.equal(await near.root.self(), early)
  release(early)
  // Given back it is the root, and nothing else.
  assert.equal(await near.root.self(), near.root)
  await settled(near, far)
  near.close()
})

describe('the handle of a function', () => {
  test('has what any function has, and asks the peer only when it is called', async () => {
    const [left, right] = transportPair()
    const far = new Broker(right, { root: { adder: () => (a: number, b: number) => a + b } })
    const near = new Broker<{ adder(): (a: number, b: number) => number }>(left)
    const add = (await near.root.adder()) as unknown as (a: number, b: number) => Promise<number>
    assert.deepEqual(
      [typeof add, typeof add.length, typeof add.name],
      ['function', 'number', 'string'],
    )
    assert.equal((add as unknown as { nothing?: unknown }).nothing, undefined)
    assert.equal(near.stats.pending, 0)
    assert.equal(await add.call(null, 1, 2), 3)
    assert.equal(await add.apply(null, [2, 3]), 5)
    assert.equal(await add.bind(null, 1)(9), 10)
    release(add as never)
    await settled(near, far)
    near.close()
  })
})
