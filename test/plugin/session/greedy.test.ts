// Slow and greedy pages, over real sockets: whatever one takes has a limit, an error, and no effect on others.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { unchecked } from 'fastify-perspective'
import { type Session, login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { startDjango } from '../django/start-django.js'
import {
  TestAvatar,
  events,
  openRaw,
  openSession,
  openWire,
  optionsFor,
  startApp,
  ticketOf,
  until,
  upgradeText,
} from '../start-app.js'

const { pool } = await startDjango()

interface Greedy {
  echo(value: unknown): unknown
  blob(length: number): string
  hang(): void
  take(...values: unknown[]): number
  count(): AsyncIterable<string>
}

const waiting: (() => void)[] = []

class GreedyAvatar extends TestAvatar {
  static override readonly remote = {
    ...TestAvatar.remote,
    blob: unchecked,
    hang: true,
    take: unchecked,
    count: true,
    wait: unchecked,
  } as never
  #taken: unknown[] = []
  wait(): Promise<void> {
    return new Promise((resolve) => waiting.push(resolve))
  }
  blob(length: number): string {
    return 'x'.repeat(length)
  }
  hang(): Promise<void> {
    return new Promise(() => undefined)
  }
  take(...values: unknown[]): number {
    return this.#taken.push(...values)
  }
  async *count(): AsyncIterable<string> {
    for (;;) yield await Promise.resolve('y'.repeat(1000))
  }
}

const LIMITS = {
  maxQueuedBytes: 1_000_000,
  maxFrameBytes: 300_000,
  maxPendingCalls: 50,
  maxReferences: 60,
  maxStreams: 5,
  maxSignals: 20,
  maxCallsPerSecond: 400,
}
const app = await startApp(
  optionsFor(pool, { limits: LIMITS, realm: (session) => new GreedyAvatar(session) }),
)

/** The server's ends of the connections. */
const wires = new Set<Socket>()
app.app.server.on('connection', (wire: Socket) => {
  wires.add(wire)
  wire.on('close', () => wires.delete(wire))
})
const queued = (): number => Math.max(0, ...[...wires].map((wire) => wire.writableLength))

beforeEach(() => {
  events.length = 0
})
afterEach(() => until(() => app.slots() === 0, 'every slot'))

const page = (): Promise<Session<Greedy>> =>
  login<Greedy>(
    app.url,
    { username: 'fast1', password: 'fast password 1' },
    {
      WebSocket,
      // Wider than the server's, which are the ones to hold.
      limits: {
        maxPendingCalls: 10_000,
        maxReferences: 10_000,
        maxStreams: 1000,
        maxSignals: 1000,
      },
    },
  )

async function codesOf(calls: Promise<unknown>[]): Promise<Record<string, number>> {
  const codes: Record<string, number> = {}
  for (const result of await Promise.allSettled(calls)) {
    const code =
      result.status === 'fulfilled' ? 'ok' : String((result.reason as { code?: unknown }).code)
    codes[code] = (codes[code] ?? 0) + 1
  }
  return codes
}

describe('a page that reads nothing', () => {
  test('and calls for much: what waits for it is bounded, it ends with 4413, others do not notice', async () => {
    const [slow, other] = [await openSession(app, 1), await openSession(app, 2)]
    slow.socket.pause()
    let highest = 0
    const watch = setInterval(() => (highest = Math.max(highest, queued())), 1)
    for (let id = 1; id <= 300; id++) slow.socket.send(`[[1,${String(id)},0,"blob",[200000]]]`)
    await until(() => events.includes('detached slow'), 'detached', 20_000)
    other.socket.send('[[1,1,0,"whoAmI",[]]]')
    await other.frame('"fast2"')
    await until(() => app.slots() === 1, 'the slow socket terminated', 20_000)
    clearInterval(watch)
    // One frame beyond the limit, and not the 60 MB that were asked for.
    assert.ok(highest > 0 && highest < 1_000_000 + 2 * 300_000, String(highest))
    other.socket.close(1000)
    await other.closed
    slow.socket.terminate()
  })

  test('and pings: it is dropped, before what it is answered fills the memory', async () => {
    const wire = await openWire(app, upgradeText(await ticketOf(app, 1)))
    await until(() => wire.text().includes(' 101 '), 'the 101')
    wire.socket.write(Buffer.from('8187000000005b5b302c305d5d', 'hex'))
    await until(() => wire.text().includes('username'), 'the hello')
    wire.socket.pause()
    const ping = Buffer.concat([Buffer.from('89fd00000000', 'hex'), Buffer.alloc(125, 'p')])
    const many = Buffer.concat(Array.from({ length: 8000 }, () => ping))
    let highest = 0
    for (let n = 0; n < 40 && events.length < 2; n++) {
      wire.socket.write(many)
      await until(() => wire.socket.writableLength === 0 || events.length === 2, 'them to be read')
      highest = Math.max(highest, queued())
    }
    assert.ok(highest < 200_000, String(highest))
    await until(() => events.includes('detached lost'), 'detached')
    wire.socket.destroy()
  })

  test('of a stream: its window is all that leaves', async () => {
    const session = await page()
    const stream = (await session.perspective.count()) as unknown as AsyncIterable<string>
    let highest = 0
    for (let n = 0; n < 50; n++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      highest = Math.max(highest, queued())
    }
    assert.ok(highest < 200_000, String(highest))
    let read = 0
    for await (const value of stream) {
      assert.equal(value.length, 1000)
      if (++read === 200) break
    }
    await session.logout()
  })
})

describe('a page that floods', () => {
  test('calls at once: those beyond maxPendingCalls are refused, the session lives', async () => {
    const session = await page()
    const calls = Array.from({ length: 80 }, () => session.perspective.hang())
    void Promise.allSettled(calls)
    const late = Array.from({ length: 5 }, () => session.perspective.echo(1))
    assert.deepEqual(await codesOf(late), { PB_ERR_LIMIT_PENDING_CALLS: 5 })
    assert.equal(app.app.perspective.stats().calls, 50)
    await session.logout()
    assert.equal(app.app.perspective.stats().calls, 0)
  })

  test('calls that run with long arguments: beyond maxQueuedBytes together others are refused, until they have ended', async () => {
    const session = await openSession(app, 1)
    const long = JSON.stringify('x'.repeat(100_000))
    const say = (...messages: string[]): void => session.socket.send(`[${messages.join()}]`)
    // What is done at once holds nothing.
    for (let id = 1; id <= 20; id++) say(`[1,${String(id)},0,"take",[${long}]]`)
    for (let id = 21; id <= 30; id += 2) {
      // A tell as much as a call, and two calls of one frame as much as one.
      say(`[2,0,"wait",[${long}]]`)
      say(`[1,${String(id)},0,"wait",[${long}]]`, `[1,${String(id + 1)},0,"wait",[]]`)
    }
    say('[1,100,0,"take",[1]]')
    await session.frame('[4,30,"PB_ERR_LIMIT_PENDING_CALLS"')
    await session.frame('[4,100,"PB_ERR_LIMIT_PENDING_CALLS"')
    assert.equal(waiting.length, 14)
    for (const resolve of waiting.splice(0)) resolve()
    await session.frame('[3,29]')
    say('[1,101,0,"take",[1]]')
    await session.frame('[3,101,')
    session.socket.close(1000)
    await session.closed
  })

  test('calls that run with announced bytes: beyond maxQueuedBytes together others are refused', async () => {
    const session = await openSession(app, 1)
    for (let id = 1; id <= 12; id++) {
      session.socket.send(`[[17,${String(id)},0,"wait",[["$b",1,100000]],100000],2]`)
      session.socket.send(new Uint8Array(100_000))
    }
    await session.frame('[4,12,"PB_ERR_LIMIT_PENDING_CALLS"')
    assert.equal(waiting.length, 10)
    for (const resolve of waiting.splice(0)) resolve()
    await session.frame('[3,10]')
    session.socket.close(1000)
    await session.closed
  })

  test('calls in a second: those beyond maxCallsPerSecond are refused, and later ones taken', async () => {
    const session = await page()
    const codes: Record<string, number> = {}
    for (let n = 0; n < 20; n++) {
      const calls = Array.from({ length: 40 }, () => session.perspective.echo(1))
      for (const [code, count] of Object.entries(await codesOf(calls))) {
        codes[code] = (codes[code] ?? 0) + count
      }
    }
    assert.ok((codes['ok'] ?? 0) >= 400, JSON.stringify(codes))
    assert.ok((codes['PB_ERR_LIMIT_CALL_RATE'] ?? 0) > 0, JSON.stringify(codes))
    let code: unknown = null
    await until(
      () => {
        void session.perspective.echo(2).then(
          () => (code = 'ok'),
          () => undefined,
        )
        return code === 'ok'
      },
      'a call to be taken',
      10_000,
    )
    await session.logout()
  })

  test('references: beyond maxReferences the call is refused, and nothing of it is held', async () => {
    const session = await page()
    const functions = (count: number): (() => void)[] =>
      Array.from({ length: count }, () => () => undefined)
    assert.deepEqual(await codesOf([session.perspective.take(...functions(40))]), { ok: 1 })
    const held = app.app.perspective.stats().references
    assert.deepEqual(await codesOf([session.perspective.take(...functions(40))]), {
      PB_ERR_LIMIT_REFERENCES: 1,
    })
    assert.equal(await session.perspective.echo('alive'), 'alive')
    assert.ok(app.app.perspective.stats().references <= held + 1)
    await session.logout()
    assert.equal(app.app.perspective.stats().references, 0)
  })

  test('streams: beyond maxStreams the call is refused', async () => {
    const session = await page()
    const calls = Array.from({ length: 9 }, () => session.perspective.count())
    assert.deepEqual(await codesOf(calls as unknown as Promise<unknown>[]), {
      ok: 5,
      PB_ERR_LIMIT_STREAMS: 4,
    })
    assert.equal(app.app.perspective.stats().streams, 5)
    await session.logout()
    assert.equal(app.app.perspective.stats().streams, 0)
  })

  test('opens: many upgrades of one user at once, no more sessions than perUser, every slot back', async () => {
    const tickets: string[] = []
    for (let n = 0; n < 40; n++) tickets.push(await ticketOf(app, 3))
    const opened = await Promise.allSettled(tickets.map((ticket) => openRaw(app, ticket)))
    const sessions = opened.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    )
    assert.equal(sessions.length, 20)
    assert.equal(app.app.perspective.stats().refusals['PB_ERR_UPGRADE_LIMIT'], 20)
    for (const { socket } of sessions) socket.close(1000)
  })

  test('frames: one that is too long ends the session, and no other', async () => {
    const [greedy, other] = [await openSession(app, 1), await openSession(app, 2)]
    greedy.socket.send(`[[1,1,0,"echo",["${'x'.repeat(400_000)}"]]]`)
    await greedy.closed
    await until(() => events.includes('detached protocol'), 'detached')
    other.socket.send('[[1,1,0,"whoAmI",[]]]')
    await other.frame('"fast2"')
    other.socket.close(1000)
    await other.closed
  })
})
