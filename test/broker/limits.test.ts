// Every limit at the limit and one past it, both ways, and what is left behind by a refusal: nothing.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Broker,
  type BrokerOptions,
  DEFAULT_LIMITS,
  type Limits,
  localPair,
  reference,
} from 'fastify-perspective/broker'
import { ScriptedPeer, settled } from '../support/scripted-peer.js'

type Call = (...args: unknown[]) => Promise<unknown> & Any
type Any = Record<'echo' | 'hang' | 'take' | 'give', Call>

function makeRoot(kept: unknown[] = []): object {
  return reference({
    echo: (value: unknown) => value,
    hang: async () => new Promise(() => undefined),
    take: (...values: unknown[]) => void kept.push(...values),
    give: () => kept,
  } as never)
}

/** A scripted peer of a broker whose limits are these. */
async function script(limits: Partial<Limits>, options: BrokerOptions = {}) {
  const peer = new ScriptedPeer()
  const broker = new Broker(peer, { root: makeRoot(), limits, ...options })
  peer.say([0, 1])
  await settled()
  peer.sent.length = 0
  return { peer, broker, remote: broker.root as unknown as Any }
}

/** Two ends; `near` are the caller's limits, `far` the callee's. */
function pair(near: Partial<Limits>, far: Partial<Limits>) {
  const kept: unknown[] = []
  const [left, right] = localPair(
    { limits: near, root: makeRoot() },
    { limits: far, root: makeRoot(kept) },
  )
  return { left, right, kept, remote: left.root as unknown as Any }
}

const nested = (levels: number, inmost: unknown): unknown => {
  let value = inmost
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value }
  return value
}
const rejects = (promise: PromiseLike<unknown>, code: string): Promise<void> =>
  assert.rejects(async () => promise, { code })

describe('limits', () => {
  test('P82, P83: are these unless a broker says otherwise, and frozen', () => {
    assert.deepEqual(DEFAULT_LIMITS, {
      maxFrameBytes: 1_048_576,
      maxDepth: 64,
      maxPendingCalls: 4096,
      maxReferences: 65_536,
      maxCallsPerSecond: 1_000_000,
      maxSignals: 4096,
      maxStreams: 256,
      streamWindowBytes: 65_536,
      maxHeldCalls: 64,
      maxBigintDigits: 4096,
      maxQueuedBytes: 16_777_216,
    })
    assert.equal(Object.isFrozen(DEFAULT_LIMITS), true)
  })

  test('that are none are TypeErrors that name them', () => {
    const wrong: unknown[] = [0, -1, 1.5, NaN, Infinity, '5', null, 2 ** 53, {}]
    for (const value of wrong) {
      const limits = { maxDepth: value } as never
      assert.throws(() => new Broker(new ScriptedPeer(), { limits }), {
        name: 'TypeError',
        message: `limits.maxDepth: expected a positive integer, got ${String(value)}`,
      })
    }
    for (const name of ['maxDepht', '__proto__', 'constructor', 'toString']) {
      const limits = Object.fromEntries([[name, 5]]) as never
      assert.throws(() => new Broker(new ScriptedPeer(), { limits }), /TypeError: limits\./)
    }
    new Broker(new ScriptedPeer(), { limits: { maxDepth: undefined } as never }).close()
  })
})

describe('P81: maxDepth', () => {
  for (const [what, inmost] of [
    ['plain data', 1],
    ['a tagged number', -0],
    ['undefined', undefined],
    ['a date', new Date(0)],
    ['bytes', new Uint8Array([1])],
    ['a bigint', 1n],
  ] as const) {
    test(`counts levels, not what stands in them: ${what}`, async () => {
      const { remote, left } = pair({ maxDepth: 5 }, { maxDepth: 5 })
      assert.deepEqual(await remote.echo(nested(5, inmost)), nested(5, inmost))
      await rejects(remote.echo(nested(6, inmost)), 'PB_ERR_LIMIT_VALUE')
      left.close()
    })

    test(`is the receiver's own, of arguments and results: ${what}`, async () => {
      const up = pair({}, { maxDepth: 5 })
      assert.deepEqual(await up.remote.echo(nested(5, inmost)), nested(5, inmost))
      await rejects(up.remote.take(nested(6, inmost)), 'PB_ERR_LIMIT_VALUE')
      up.kept.push(nested(5, inmost))
      await rejects(up.remote.give(), 'PB_ERR_LIMIT_VALUE')
      up.left.close()
      const down = pair({ maxDepth: 5 }, {})
      down.kept.push(nested(4, inmost))
      assert.deepEqual(await down.remote.give(), [nested(4, inmost)])
      down.kept.push(nested(5, inmost))
      await rejects(down.remote.give(), 'PB_ERR_LIMIT_VALUE')
      assert.equal(await down.remote.echo('still here'), 'still here')
      down.left.close()
    })
  }

  test('P82: counts Maps, Sets and errors as one level each; arguments each for themselves', async () => {
    const { remote, left } = pair({ maxDepth: 3 }, { maxDepth: 3 })
    const three = new Map([['a', new Set([[1]])]])
    assert.deepEqual(await remote.echo(three), three)
    await rejects(remote.echo([three]), 'PB_ERR_LIMIT_VALUE')
    await remote.take(three, three)
    const error = new Error('a', { cause: new Error('b', { cause: [1] }) })
    const back = (await remote.echo(error)) as Error
    assert.deepEqual((back.cause as Error).cause, [1])
    left.close()
  })

  test('P10: says a cycle with the path, and does not overflow the stack', async () => {
    const { remote, left } = pair({}, {})
    const cycle: { self?: unknown } = {}
    cycle.self = { deeper: cycle }
    await assert.rejects(async () => remote.echo(cycle), {
      code: 'PB_ERR_LIMIT_VALUE',
      message: /^args\[0\]\.self\.deeper\.self\..*or a cycle/,
    })
    left.close()
  })
})

describe('maxBigintDigits', () => {
  test('P4, P81: at the limit and past it, both ways', async () => {
    const at = 10n ** 9n
    const near = pair({ maxBigintDigits: 10 }, {})
    assert.equal(await near.remote.echo(at), at)
    await rejects(near.remote.echo(at * 10n), 'PB_ERR_LIMIT_VALUE')
    near.kept.push(at * 10n)
    await rejects(near.remote.give(), 'PB_ERR_LIMIT_VALUE')
    near.left.close()
    const far = pair({}, { maxBigintDigits: 10 })
    assert.equal(await far.remote.echo(at), at)
    await rejects(far.remote.echo(at * 10n), 'PB_ERR_LIMIT_VALUE')
    assert.equal(await far.remote.echo(2n ** 4096n).catch(() => 'refused'), 'refused')
    far.left.close()
  })
})

describe('maxFrameBytes', () => {
  test('O5: a message at the limit crosses; one past it is a rejection of the call', async () => {
    const limits = { maxFrameBytes: 1000 }
    const { remote, left } = pair(limits, limits)
    // [1,1,0,"echo",["…"]] and [3,1,"…"]
    const fits = 'x'.repeat(1000 - '[1,1,0,"echo",[""]]'.length)
    assert.equal(await remote.echo(fits), fits)
    await rejects(remote.echo(fits + 'x'), 'PB_ERR_LIMIT_FRAME')
    await rejects(remote.take('é'.repeat(600)), 'PB_ERR_LIMIT_FRAME')
    await rejects(remote.take(new Uint8Array(980)), 'PB_ERR_LIMIT_FRAME')
    await remote.take(new Uint8Array(900))
    assert.equal(left.stats.pending, 0)
    left.close()
  })

  test('O5: a result past the limit rejects its caller, at once or later', async () => {
    const { remote, left, kept } = pair({}, { maxFrameBytes: 1000 })
    await remote.take('x'.repeat(800))
    kept.push('x'.repeat(800))
    await rejects(remote.give(), 'PB_ERR_LIMIT_FRAME')
    assert.equal(await remote.echo('still here'), 'still here')
    left.close()
  })

  test('P62: a frame past the limit of its receiver ends the connection', async () => {
    const { peer, broker } = await script({ maxFrameBytes: 1000 })
    peer.sayRaw(`["${'x'.repeat(1000 + 64 - 4)}"]`.replace(/^\["x+"\]$/, '[]' + ' '.repeat(1062)))
    assert.equal(peer.closed, null)
    peer.sayRaw('[]' + ' '.repeat(1063))
    assert.equal((await broker.closed).code, 4400)
  })
})

describe('maxPendingCalls', () => {
  test('P84: at the limit of the caller, and of the callee', async () => {
    const near = pair({ maxPendingCalls: 3 }, {})
    for (let index = 0; index < 3; index++) void near.remote.hang()
    await rejects(near.remote.hang(), 'PB_ERR_LIMIT_PENDING_CALLS')
    assert.equal(near.left.stats.pending, 3)
    near.left.close()
    const far = pair({}, { maxPendingCalls: 3 })
    for (let index = 0; index < 3; index++) void far.remote.hang()
    await rejects(far.remote.hang(), 'PB_ERR_LIMIT_PENDING_CALLS')
    await settled()
    assert.equal(far.right.stats.running, 3)
    await rejects(far.remote.echo(1), 'PB_ERR_LIMIT_PENDING_CALLS')
    far.left.close()
  })

  test('counts the calls of one tick, also those that are answered or refused', async () => {
    const { peer } = await script({ maxPendingCalls: 3 })
    peer.say([1, 1, 0, 'echo', [1]], [1, 2, 0, 'none', []], 1)
    peer.say([1, 3, 0, 'echo', [nested(65, 1)]], [1, 4, 0, 'echo', [4]], 1)
    peer.say([1, 5, 0, 'echo', [5]])
    peer.say([1, 6, 0, 'echo', [6]])
    const codes = peer.take().map((message) => message[2])
    assert.deepEqual(codes, [
      1,
      'PB_ERR_CALL_UNKNOWN_METHOD',
      'PB_ERR_LIMIT_VALUE',
      'PB_ERR_LIMIT_PENDING_CALLS',
      'PB_ERR_LIMIT_PENDING_CALLS',
      6,
    ])
    peer.end()
  })

  test('counts a call that was given up until its method has ended', async () => {
    const { peer, broker } = await script({ maxPendingCalls: 2 })
    for (let id = 1; id <= 5; id++) peer.say([1, id, 0, 'hang', []], [6, id])
    const refused = peer.take().map((message) => message.slice(0, 3))
    const code = 'PB_ERR_LIMIT_PENDING_CALLS'
    assert.deepEqual(
      refused,
      [3, 4, 5].map((id) => [4, id, code]),
    )
    assert.equal(broker.stats.running, 2)
    peer.end()
    assert.equal(broker.stats.running, 0)
  })

  test('P64: a call on one that was refused is refused with the same error', async () => {
    const { peer } = await script({ maxDepth: 2 })
    peer.say(
      [1, 1, 0, 'echo', [nested(3, 1)]],
      [1, 2, -1, 'x', []],
      [17, 3, 0, 'echo', [['$p', 1]], 0],
    )
    await settled()
    assert.deepEqual(
      peer.take().map((message) => message[2]),
      Array(3).fill('PB_ERR_LIMIT_VALUE'),
    )
    peer.end()
  })
})
