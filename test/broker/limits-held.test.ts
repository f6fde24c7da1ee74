// Limits on what is held: references, streams, signals, calls before the root; and what a refusal leaves behind: nothing.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  Broker,
  type Limits,
  Referenceable,
  localPair,
  reference,
} from 'fastify-perspective/broker'
import { ScriptedPeer, binaryFrame, settled } from '../support/scripted-peer.js'

type Call = (...args: unknown[]) => Promise<unknown>
type Any = Record<'echo' | 'take' | 'give' | 'drop', Call>
interface Refs {
  [Symbol.dispose](): void
}

class Thing extends Referenceable {
  static readonly remote = {}
}

function makeRoot(kept: unknown[]): object {
  return reference({
    echo: (value: unknown) => value,
    take: (...values: unknown[]) => void kept.push(...values),
    give: () => kept,
    drop: () => {
      for (const value of kept.splice(0)) (value as Refs)[Symbol.dispose]()
    },
  } as never)
}

function pair(near: Partial<Limits>, far: Partial<Limits>) {
  const kept: unknown[] = []
  const [left, right] = localPair({ limits: near }, { limits: far, root: makeRoot(kept) })
  return { left, right, kept, remote: left.root as unknown as Any }
}

async function script(limits: Partial<Limits> = {}, root: object | Promise<object> = makeRoot([])) {
  const peer = new ScriptedPeer()
  const broker = new Broker(peer, { root, limits })
  peer.say([0, 1])
  await settled()
  peer.sent.length = 0
  return { peer, broker }
}

const rejects = (promise: PromiseLike<unknown>, code: string): Promise<void> =>
  assert.rejects(async () => promise, { code })
async function* endless(): AsyncGenerator<number> {
  for (let index = 0; ; index++) yield await Promise.resolve(index)
}
const deep = [[[[[[-0]]]]]]
const code = (message: unknown[] | undefined): unknown[] | undefined => message?.slice(0, 3)

describe('maxReferences', () => {
  test('T8, P84: of the sender: the last fits, one more rejects, a release makes room', async () => {
    const { left, right, remote } = pair({ maxReferences: 3 }, {})
    await remote.take(new Thing(), new Thing(), new Thing())
    await rejects(remote.take(new Thing()), 'PB_ERR_LIMIT_REFERENCES')
    assert.equal(left.stats.exported, 3)
    await remote.drop()
    await settled()
    assert.deepEqual([left.stats.exported, right.stats.imported], [0, 0])
    await remote.take(new Thing())
    left.close()
  })

  test('T8: of the receiver: what is refused has gone back, and the connection stays', async () => {
    const { left, right, remote } = pair({}, { maxReferences: 3 })
    const shared = new Thing()
    await remote.take(shared, new Thing())
    await rejects(remote.take(shared, new Thing(), new Thing()), 'PB_ERR_LIMIT_REFERENCES')
    await settled()
    assert.deepEqual([left.stats.exported, right.stats.imported], [2, 2])
    await remote.take(shared, new Thing())
    await remote.drop()
    await settled()
    assert.deepEqual([left.stats.exported, right.stats.imported], [0, 0])
    left.close()
  })

  test('P52: a message that was not sent leaves nothing in the tables', async () => {
    const { left, remote } = pair({ maxReferences: 3, maxStreams: 2 }, {})
    const four = [new Thing(), new Thing(), new Thing(), new Thing()]
    await rejects(remote.take(...four), 'PB_ERR_LIMIT_REFERENCES')
    await rejects(remote.take(new Thing(), endless(), Symbol('no')), 'PB_ERR_CALL_UNSENDABLE')
    await rejects(remote.take(new Thing(), 'x'.repeat(2 ** 20)), 'PB_ERR_LIMIT_FRAME')
    await rejects(remote.take(endless(), endless(), endless()), 'PB_ERR_LIMIT_STREAMS')
    assert.deepEqual([left.stats.exported, left.stats.streams, left.stats.pending], [0, 0, 0])
    left.close()
  })
})

describe('P52, P53: a refused message gives back what stood beside', () => {
  const refusals: [string, unknown][] = [
    ['a value that is too deep', deep],
    ['a bigint that is too long', 10n ** 30n],
    ['a reference inside of what is too deep', [[[[[[new Thing()]]]]]]],
  ]
  for (const [what, bad] of refusals) {
    test(`as an argument: ${what}`, async () => {
      const { left, right, remote } = pair({}, { maxDepth: 5, maxBigintDigits: 20 })
      const shared = new Thing()
      await remote.take(shared)
      const { signal } = new AbortController()
      const args = [shared, new Thing(), endless(), signal, () => 1]
      await rejects(remote.take(...args, bad, ...args), 'PB_ERR_LIMIT_VALUE')
      await settled()
      assert.deepEqual([left.stats.exported, right.stats.imported], [1, 1])
      assert.deepEqual([left.stats.streams, right.stats.streams], [0, 0])
      assert.equal(right.stats.signals, 0)
      await remote.drop()
      await settled()
      assert.equal(left.stats.exported, 0)
      left.close()
    })

    test(`O7: as a result: ${what}`, async () => {
      const { left, right, kept, remote } = pair({ maxDepth: 5, maxBigintDigits: 20 }, {})
      kept.push(new Thing(), endless(), bad, new Thing(), endless())
      await rejects(remote.give(), 'PB_ERR_LIMIT_VALUE')
      await settled()
      assert.deepEqual([right.stats.exported, left.stats.imported], [0, 0])
      assert.deepEqual([left.stats.streams, right.stats.streams], [0, 0])
      left.close()
    })
  }

  test('P54: a property of an error that crosses by half is left out whole', async () => {
    const { left, remote } = pair({}, {})
    const half = { thing: new Thing(), stream: endless(), no: Symbol('no') }
    const error = Object.assign(new Error('whole'), { half, fine: 1 })
    const back = (await remote.echo(error)) as Error & Record<string, unknown>
    assert.deepEqual([back.message, back['fine'], 'half' in back], ['whole', 1, false])
    assert.deepEqual([left.stats.exported, left.stats.streams], [0, 0])
    left.close()
  })
})

describe('maxStreams', () => {
  test('of both ends; past it the producer is told to stop', async () => {
    const near = pair({ maxStreams: 2 }, {})
    await near.remote.take(endless(), endless())
    await rejects(near.remote.take(endless()), 'PB_ERR_LIMIT_STREAMS')
    near.left.close()
    const far = pair({}, { maxStreams: 2 })
    await far.remote.take(endless(), endless())
    await rejects(far.remote.take(endless()), 'PB_ERR_LIMIT_STREAMS')
    await settled()
    assert.deepEqual([far.left.stats.streams, far.right.stats.streams], [2, 2])
    far.left.close()
  })
})

describe('streamWindowBytes', () => {
  test('P76: so many bytes are granted, a chunk may go below zero, and one more is a breach', async () => {
    const kept: unknown[] = []
    const { peer, broker } = await script({ streamWindowBytes: 20 }, makeRoot(kept))
    peer.say([17, 1, 0, 'take', [['$t', 1]], 0])
    void (kept[0] as AsyncIterator<unknown>).next()
    void (kept[0] as AsyncIterator<unknown>).next()
    await settled()
    assert.deepEqual(peer.take(), [
      [3, 1],
      [12, 1, 20],
    ])
    // 2 and 17 bytes: one of 20 is left.
    peer.say([9, 1, 'x'.repeat(17)])
    assert.deepEqual(peer.take(), [[12, 1, 19]])
    peer.say([9, 1, 'x'.repeat(100)])
    peer.take()
    peer.say([9, 1, 'x'.repeat(100)])
    peer.say([9, 1, 'x'])
    assert.equal((await broker.closed).code, 4400)
  })
})

describe('maxSignals', () => {
  test('so many live ones are held; one that is over makes room', async () => {
    const { peer, broker } = await script({ maxSignals: 2 })
    peer.say([
      17,
      1,
      0,
      'take',
      [
        ['$a', 1],
        ['$a', 2],
        ['$a', 1],
      ],
      0,
    ])
    peer.say([17, 2, 0, 'take', [['$a', 3]], 0])
    assert.deepEqual(peer.take().map(code), [
      [3, 1],
      [4, 2, 'PB_ERR_LIMIT_SIGNALS'],
    ])
    assert.equal(broker.stats.signals, 2)
    peer.say(
      [7, 3],
      [8, 3],
      [8, 1],
      [7, 2],
      [
        17,
        3,
        0,
        'take',
        [
          ['$a', 4],
          ['$a', 5],
        ],
        0,
      ],
    )
    assert.deepEqual(peer.take(), [[3, 3]])
    peer.end()
    assert.equal(broker.stats.signals, 0)
  })
})

describe('maxHeldCalls', () => {
  test('P19: calls before the root wait in their order, and no more than so many', async () => {
    const said: unknown[] = []
    let arrive!: (root: object) => void
    const root = new Promise<object>((resolve) => (arrive = resolve))
    const { peer } = await script({ maxHeldCalls: 2 }, root)
    peer.say([1, 1, 0, 'take', [1]], [2, 0, 'take', [2]], [1, 3, 0, 'take', [3]])
    assert.deepEqual(peer.take().map(code), [[4, 3, 'PB_ERR_LIMIT_PENDING_CALLS']])
    // The root itself as an argument is not there either; that is no breach.
    peer.say([17, 4, 0, 'take', [['$y', 0]], 0])
    assert.deepEqual(peer.take().map(code), [[4, 4, 'PB_ERR_REF_DEAD']])
    arrive(makeRoot(said))
    await settled()
    assert.deepEqual(said, [1, 2])
    assert.deepEqual(peer.take(), [
      [0, 1],
      [3, 1],
    ])
    peer.end()
  })
})

describe('maxCallsPerSecond', () => {
  test('P84: of one second; the next one begins anew', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
    const { peer } = await script({ maxCallsPerSecond: 3 })
    let id = 0
    const burst = (): unknown[] => {
      for (let count = 0; count < 5; count++) peer.say([1, ++id, 0, 'echo', [1]])
      return peer.take().map((message) => message[2])
    }
    const limit = 'PB_ERR_LIMIT_CALL_RATE'
    assert.deepEqual(burst(), [1, 1, 1, limit, limit])
    t.mock.timers.tick(999)
    assert.deepEqual(burst(), [limit, limit, limit, limit, limit])
    t.mock.timers.tick(1)
    assert.deepEqual(burst(), [1, 1, 1, limit, limit])
    peer.end()
  })
})

describe('maxQueuedBytes', () => {
  test('a peer that does not read is dropped with 4413, and its calls are lost', async () => {
    const { peer, broker } = await script({ maxQueuedBytes: 1000 })
    const remote = broker.root as unknown as Any
    const lost = rejects(remote.echo(0), 'PB_ERR_CONNECTION_LOST')
    peer.bufferedAmount = 1000
    for (let frame = 0; frame < 40; frame++) {
      void remote.echo(frame)
      await settled()
    }
    assert.equal(peer.closed, null)
    peer.bufferedAmount = 1001
    for (let frame = 0; frame < 16; frame++) {
      void remote.echo(frame)
      await settled()
    }
    await lost
    const reason = 'PB_ERR_LIMIT_QUEUED_BYTES'
    assert.deepEqual(await broker.closed, { code: 4413, reason, byPeer: false })
  })
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

describe('a tick that goes on and on', () => {
  test('a result that could not be sent is not kept in it', async () => {
    const made: WeakRef<object>[] = []
    const make = (): object => {
      const value = { text: 'x'.repeat(1000) }
      made.push(new WeakRef(value))
      return value
    }
    const root = reference({ make, makeLater: async () => Promise.resolve(make()) } as never)
    const { peer } = await script({ maxFrameBytes: 500 }, root)
    peer.say([1, 1, 0, 'make', []], [1, 2, 0, 'makeLater', []], 1)
    await settled()
    assert.deepEqual(
      peer.take().map(([kind, id, code]) => [kind, id, code]),
      [
        [4, 1, 'PB_ERR_LIMIT_FRAME'],
        [4, 2, 'PB_ERR_LIMIT_FRAME'],
      ],
    )
    collectGarbage()
    assert.deepEqual(
      made.map((value) => value.deref()),
      [undefined, undefined],
    )
    // What it came to can still be named.
    peer.say([1, 3, -2, 'none', []])
    assert.deepEqual(peer.take()[0]?.slice(0, 3), [4, 3, 'PB_ERR_LIMIT_FRAME'])
    peer.end()
  })

  test('its results are forgotten when their answers are longer than maxQueuedBytes together', async () => {
    const { peer } = await script({ maxQueuedBytes: 1000 })
    const codeOfMethodOn = (id: number, result: number): unknown => {
      peer.say([1, id, -result, 'none', []], 1)
      return peer.take().at(-1)?.[2]
    }
    const long = 'x'.repeat(400)
    for (let id = 1; id <= 2; id++) peer.say([1, id, 0, 'echo', [long]], 1)
    // It is there: a text, which has no methods.
    assert.equal(codeOfMethodOn(3, 1), 'PB_ERR_REF_NOT_CALLABLE')
    peer.say([1, 4, 0, 'echo', [long]], 1)
    for (let id = 5; id <= 7; id++)
      assert.equal(codeOfMethodOn(id, id - 4), 'PB_ERR_REF_UNKNOWN', String(id))
    peer.say([1, 8, 0, 'echo', [long]], 1)
    assert.equal(codeOfMethodOn(9, 8), 'PB_ERR_REF_NOT_CALLABLE')
    peer.end()
  })
})

test('P6: bytes of 200 kB cross whole, also where they end in 61', async () => {
  const { left, remote } = pair({}, {})
  const bytes = new Uint8Array(200_000).fill(61)
  assert.deepEqual(await remote.echo(bytes), bytes)
  left.close()
})

test('P7: lengths that are no multiple of the element are a breach', async () => {
  const { peer, broker } = await script()
  peer.sayRaw(binaryFrame([[17, 1, 0, 'take', [['$b', 5, 3]], 3]], new Uint8Array(3)))
  assert.equal((await broker.closed).code, 4400)
})
