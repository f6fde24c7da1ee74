// How a connection ends: what rejects with what, in which order, and what happens when somebody is in the middle of something.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Broker,
  localPair,
  onDisconnect,
  reference,
  transportPair,
} from 'fastify-perspective/broker'
import { type Any, type Call, outcomeOf, start } from '../support/scripted-broker.js'
import { ScriptedPeer, settled } from '../support/scripted-peer.js'

describe('calls that wait', () => {
  test('P57: reject with what is known of them, later ones with a dead reference', async () => {
    const { peer, broker, remote } = await start()
    const sent = outcomeOf(remote.echo(1))
    await settled()
    const unsent = outcomeOf(remote.echo(2))
    peer.end(1006)
    assert.equal(await sent, 'ConnectionLostError unknown')
    assert.equal(await unsent, 'ConnectionLostError not-sent')
    await assert.rejects(async () => remote.echo(3), { code: 'PB_ERR_REF_DEAD' })
    assert.deepEqual(await broker.closed, { code: 1006, reason: '', byPeer: true })
    assert.equal(broker.stats.pending, 0)
  })

  test('P57: name the reason of the end', async () => {
    const { peer, remote } = await start()
    const call = remote.echo(1)
    peer.end(4440, 'disconnected by an administrator')
    await assert.rejects(async () => call, /4440 disconnected by an administrator/)
  })

  test('T13, O13: have rejected when the listeners run, in the order of their registration', async () => {
    const { peer, broker, remote } = await start()
    const order: string[] = []
    onDisconnect(broker.root, () => void order.push('first'))
    onDisconnect(broker.root, () => void order.push('second'))
    remote.echo(1).catch(() => void order.push('call'))
    void (async () => {
      try {
        await remote.echo(2)
      } catch {
        order.push('awaited call')
      }
    })()
    void broker.closed.then(() => order.push('closed'))
    peer.end()
    await settled()
    assert.deepEqual(order.slice(0, 2).sort(), ['awaited call', 'call'])
    assert.deepEqual(
      order.slice(2).filter((name) => name !== 'closed'),
      ['first', 'second'],
    )
  })

  test('T30, T27, P58: a listener finds the reference dead, and hears the reason once', async () => {
    const { peer, broker, remote } = await start()
    const heard: unknown[] = []
    onDisconnect(broker.root, (reason) => {
      heard.push(reason)
      heard.push(remote.echo(1).then(null, (error: unknown) => (error as { code: string }).code))
    })
    peer.end(4000, 'why')
    peer.end(4001, 'again')
    broker.close()
    await settled()
    assert.deepEqual(heard[0], { code: 4000, reason: 'why', byPeer: true })
    assert.equal(await heard[1], 'PB_ERR_REF_DEAD')
    assert.equal(heard.length, 2)
  })

  test('T26, O12: a listener removed is not called, one added late is, and one that throws is reported', async () => {
    const { peer, broker, faults } = await start()
    const heard: string[] = []
    const remove = onDisconnect(broker.root, () => void heard.push('removed'))
    onDisconnect(broker.root, () => {
      throw new Error('of a listener')
    })
    onDisconnect(broker.root, () => void heard.push('kept'))
    remove()
    peer.end()
    await settled()
    onDisconnect(broker.root, () => void heard.push('late'))
    onDisconnect(broker.root, () => void heard.push('late and removed'))()
    remove()
    await settled()
    assert.deepEqual(heard, ['kept', 'late'])
    assert.deepEqual(faults.map(String), ['Error: of a listener'])
  })
})

describe('what is dropped', () => {
  test('O18, P50: answers after the end are dropped silently, plain data and references', async () => {
    let answer!: (value: unknown) => void
    const root = reference({
      hang: async () => new Promise((resolve) => (answer = resolve)),
    } as never)
    for (const value of [1, root, () => 1, new Map([[1, root]])]) {
      const { peer, broker, faults } = await start(root)
      peer.say([1, 1, 0, 'hang', []])
      peer.end()
      answer(value)
      await settled()
      assert.deepEqual(peer.sent, [])
      assert.deepEqual(faults, [])
      assert.equal(broker.stats.exported, 0)
    }
  })

  test('P50: both tables are empty, signals fire, streams of both ways end', async () => {
    const { peer, broker, remote } = await start(
      reference({ take: (...args: unknown[]) => void kept.push(...args) } as never),
    )
    const kept: unknown[] = []
    let isPutAway = false
    const source = (async function* () {
      try {
        for (;;) yield await Promise.resolve(1)
      } finally {
        isPutAway = true
      }
    })()
    void remote.echo(() => 1, source)
    peer.say(
      [
        17,
        1,
        0,
        'take',
        [
          ['$f', 1],
          ['$t', 1],
          ['$a', 1],
        ],
        0,
      ],
      [12, 1, 10],
    )
    await settled()
    const next = outcomeOf((kept[1] as AsyncIterator<unknown>).next())
    peer.end()
    await settled()
    assert.deepEqual(Object.values(broker.stats), [0, 0, 0, 0, 0, 0])
    assert.equal((kept[2] as AbortSignal).aborted, true)
    assert.equal(await next, 'ConnectionLostError unknown')
    assert.equal(isPutAway, true)
    await assert.rejects(async () => (kept[0] as Call)(), { code: 'PB_ERR_REF_DEAD' })
  })

  test('O2: calls held for a root that comes too late are never run', async () => {
    let arrive!: (root: object) => void
    const { peer } = await start(new Promise<object>((resolve) => (arrive = resolve)))
    let calls = 0
    peer.say([1, 1, 0, 'echo', []], [2, 0, 'echo', []])
    peer.end()
    arrive(reference({ echo: () => (calls += 1) } as never))
    await settled()
    assert.deepEqual([calls, peer.sent], [0, []])
  })

  test('the rest of a frame whose call has closed the connection', async () => {
    let calls = 0
    const { peer, broker } = await start(
      reference({
        end: () => {
          broker.close(4000, 'enough')
        },
        echo: () => (calls += 1),
      } as never),
    )
    peer.say([1, 1, 0, 'echo', []], [1, 2, 0, 'end', []], [1, 3, 0, 'echo', []])
    assert.equal(calls, 1)
    assert.deepEqual(await broker.closed, { code: 4000, reason: 'enough', byPeer: false })
    // What was answered before left with the end.
    assert.deepEqual(peer.take(), [[3, 1, 1]])
  })
})

describe('close', () => {
  test('P51, P59, P61: says what was said in this tick, is heard by the other side, and is idempotent', async () => {
    const heard: unknown[] = []
    const [left, right] = localPair(
      {},
      { root: reference({ echo: (value: unknown) => heard.push(value) } as never) },
    )
    const call = outcomeOf((left.root as unknown as Any).echo('last words'))
    left.close(4000, 'bye')
    left.close(4001, 'again')
    left[Symbol.dispose]()
    assert.equal(await call, 'ConnectionLostError unknown')
    assert.deepEqual(await left.closed, { code: 4000, reason: 'bye', byPeer: false })
    assert.deepEqual(await right.closed, { code: 4000, reason: 'bye', byPeer: true })
    assert.deepEqual(heard, ['last words'])
  })

  test('P60: reasons are cut at 123 bytes, never inside a character', async () => {
    for (const [reason, kept] of [
      ['x'.repeat(200), 123],
      ['é'.repeat(100), 122],
      ['a' + '😀'.repeat(50), 121],
      ['😀'.repeat(31), 120],
      ['€'.repeat(41), 123],
    ] as const) {
      const { broker } = await start()
      broker.close(4000, reason)
      const said = (await broker.closed).reason
      assert.equal(Buffer.byteLength(said), kept)
      assert.equal(reason.startsWith(said), true)
      assert.doesNotThrow(() => encodeURIComponent(said))
    }
  })

  test('T32: before anything was said raises nothing and reports nothing', async () => {
    const reported: unknown[] = []
    const [here, there] = transportPair()
    const broker = new Broker(here, { root: {}, onCallError: (error) => void reported.push(error) })
    there.close(1006, '')
    assert.equal((await broker.closed).code, 1006)
    assert.deepEqual(reported, [])
  })

  test("O2: before the hello rejects `peer`, which is nobody's unhandled rejection", async () => {
    const peer = new ScriptedPeer()
    const broker = new Broker(peer)
    peer.end()
    await settled()
    await assert.rejects(broker.peer, { code: 'PB_ERR_CONNECTION_LOST' })
  })

  test('P25, P24: a transport that throws ends the connection; nothing is thrown at the caller', async () => {
    const { peer, broker, remote } = await start()
    const first = outcomeOf(remote.echo(1))
    peer.sendError = new Error('of the transport')
    peer.closeError = new Error('of the transport, too')
    await settled()
    assert.equal(await first, 'ConnectionLostError unknown')
    assert.equal((await broker.closed).code, 1006)
  })

  test('P24: a transport that throws in the middle of a tick leaves no call waiting', async () => {
    const { peer, broker, remote } = await start()
    peer.sendError = new Error('of the transport')
    const calls = Array.from({ length: 40 }, () => outcomeOf(remote.echo('x'.repeat(1000))))
    const outcomes = await Promise.all(calls)
    assert.equal(outcomes[0], 'ConnectionLostError unknown')
    assert.ok(outcomes.includes('ConnectionLostError not-sent'))
    assert.equal(broker.stats.pending, 0)
  })
})
