// Signs of life: half-open connections are found, busy pages are not thrown out, idle ones hear something.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { type Beating, Heartbeat, Pulse } from '../../../dist/plugin/session/heartbeat.js'
import { startDjango } from '../django/start-django.js'
import {
  type RawSession,
  type TestApp,
  events,
  openRaw,
  openWire,
  optionsFor,
  startApp,
  ticketOf,
  until,
  upgradeText,
} from '../start-app.js'
import { startCutWire } from './cut-wire.js'

const { pool } = await startDjango()
const quick = await start(0.5)

async function start(heartbeatSeconds: number): Promise<TestApp> {
  return startApp(optionsFor(pool, { sessions: { heartbeatSeconds } }))
}

beforeEach(() => {
  events.length = 0
})
afterEach(() => until(() => quick.slots() === 0, 'every slot'))

async function open(to: { readonly url: string } = quick): Promise<RawSession> {
  const session = await openRaw(to, await ticketOf(quick, 1))
  await session.frame('username')
  return session
}

describe('a page that is there', () => {
  test('idle: it is pinged, answers, hears {}, and stays', async () => {
    const session = await open()
    let pings = 0
    session.socket.on('ping', () => (pings += 1))
    await until(() => pings >= 4, 'pings', 10_000)
    await session.frame('[[15,{}]]')
    assert.deepEqual(events, ['attached'])
    session.socket.close(1000)
    await session.closed
  })

  test('that asks is answered, and what it asks must be a number', async () => {
    const session = await open()
    for (const notice of [
      'null',
      '[]',
      '{"ping":"1"}',
      '{"ping":1.5}',
      '{"pong":1}',
      '{"other":{}}',
    ]) {
      session.socket.send(`[[15,${notice}]]`)
    }
    session.socket.send('[[15,{"ping":7}],[15,{"ping":0}]]')
    await session.frame('[[15,{"pong":7}],[15,{"pong":0}]]')
    assert.ok(!session.frames.some((frame) => /pong":[^70]/.test(frame)))
    session.socket.close(1000)
    await session.closed
  })

  test('that answers no ping, and sends: any byte is a sign of life (door hole 12)', async () => {
    const wire = await openWire(quick, upgradeText(await ticketOf(quick, 1)))
    await until(() => wire.text().includes(' 101 '), 'the 101')
    wire.socket.write(Buffer.from('8187000000005b5b302c305d5d', 'hex'))
    await until(() => wire.text().includes('username'), 'the hello')
    // One byte after the other of a long frame, that is never finished, for three times as long as silence is borne.
    wire.socket.write(Buffer.from('81fe0fff00000000', 'hex'))
    const started = performance.now()
    while (performance.now() - started < 2_500) {
      wire.socket.write(' ')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    assert.deepEqual(events, ['attached'])
    wire.socket.destroy()
    await until(() => events.length === 2, 'detached')
  })
})

describe('a connection that is half open (door case 65)', () => {
  for (const ways of [
    { up: true, down: true },
    { up: true, down: false },
  ]) {
    test(
      `${ways.down ? 'both ways' : 'one way'} swallowed: 4408, detached as lost, the socket gone`,
      { timeout: 30_000 },
      async () => {
        const wire = await startCutWire(quick.port)
        after(() => {
          wire.close()
        })
        const session = await open(wire)
        wire.cut(ways)
        await until(() => events.length === 2, 'detached', 10_000)
        assert.deepEqual(events, ['attached', 'detached lost'])
        await until(() => quick.slots() === 0, 'the socket terminated')
        if (!ways.down) assert.deepEqual(await session.closed, { code: 4408, reason: 'heartbeat' })
        wire.close()
      },
    )
  }

  test('the other way swallowed: the page sees nothing come, and says so by leaving', async () => {
    const wire = await startCutWire(quick.port)
    after(() => {
      wire.close()
    })
    const session = await open(wire)
    wire.cut({ up: false, down: true })
    session.frames.length = 0
    session.socket.send('[[15,{"ping":1}]]')
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.deepEqual(session.frames, [])
    session.socket.terminate()
    await until(() => events.length === 2, 'detached')
    assert.deepEqual(events, ['attached', 'detached lost'])
    wire.close()
  })

  test('a browser that goes (1001, 4001, the process killed) is detached at once (door case 67)', async () => {
    for (const leave of [
      ({ socket }: RawSession) => {
        // What Chromium sends on navigation.
        socket.close(1001)
      },
      ({ socket }: RawSession) => {
        socket.close(4001, 'sleep')
      },
      ({ socket }: RawSession) => {
        socket.terminate()
      },
    ]) {
      events.length = 0
      const session = await open()
      leave(session)
      await until(() => events.length === 2, 'detached')
      assert.deepEqual(events, ['attached', 'detached lost'])
    }
  })
})

/** A session whose socket's counters a test sets; what was done is noted. */
class Page implements Beating {
  readonly done: string[] = []
  readonly wire = { bytesRead: 0, bytesWritten: 0 }
  readonly pulse = new Pulse(this.wire as unknown as Socket, 0)
  ping(): void {
    this.done.push('ping')
    this.wire.bytesWritten += 2
  }
  keepAlive(): void {
    this.done.push('word')
    this.wire.bytesWritten += 10
  }
  end({ code }: { readonly code: number }): void {
    this.done.push(String(code))
  }
}

describe('the looks of a heartbeat, ten for 25 s', () => {
  const look = (page: Page, count: number): string[] => {
    for (let n = 0; n < count; n++) page.pulse.look(page)
    return page.done.splice(0)
  }

  test('silence: asked after 22.5 to 27.5 s, given up 15 s later', () => {
    const asked = new Set<number>()
    for (let round = 0; round < 100; round++) {
      const page = new Page()
      const at = new Map<string, number>()
      for (let n = 1; n <= 16 && !at.has('4408'); n++) {
        for (const what of look(page, 1)) at.set(what, n)
      }
      const pinged = at.get('ping') ?? 0
      asked.add(pinged)
      assert.equal(at.get('word'), 10)
      assert.equal(at.get('4408'), pinged + 6)
    }
    assert.deepEqual([...asked].sort(), [10, 9], 'a tenth sooner, at random')
  })

  test('a page that speaks is not asked, and one that is spoken to hears no more', () => {
    const page = new Page()
    for (let n = 0; n < 100; n++) {
      if (n % 8 === 0) page.wire.bytesRead += 1
      assert.ok(!look(page, 1).includes('ping'))
    }
    const other = new Page()
    for (let n = 0; n < 100; n++) {
      if (n % 8 === 0) {
        other.wire.bytesWritten += 1
        other.wire.bytesRead += 1
      }
      assert.deepEqual(look(other, 1), [])
    }
  })

  test('pings are not counted as said: a page that answers them hears {} all the same', () => {
    const page = new Page()
    let words = 0
    for (let n = 0; n < 100; n++) {
      const done = look(page, 1)
      if (done.includes('ping')) page.wire.bytesRead += 2
      words += done.filter((what) => what === 'word').length
    }
    assert.ok(words >= 8 && words <= 11, String(words))
  })

  test('each session is looked at once in a round, also while others come and go', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const pages = new Set(Array.from({ length: 1003 }, () => new Page()))
    const looks = new Map<Page, number>()
    for (const page of pages) {
      t.mock.method(page.pulse, 'look', () => {
        looks.set(page, (looks.get(page) ?? 0) + 1)
        if (looks.size % 100 === 50) pages.delete(page)
      })
    }
    const all = [...pages]
    const heartbeat = new Heartbeat(
      {
        get slots() {
          return pages.size
        },
        beating: () => pages.values() as Iterator<Page, undefined>,
      },
      25,
      60,
    )
    heartbeat.start()
    t.mock.timers.tick(500)
    assert.ok(looks.size >= 180 && looks.size <= 220, `${String(looks.size)} in the first part`)
    t.mock.timers.tick(2_000)
    assert.ok(all.every((page) => looks.get(page) === 1))
    heartbeat.stop()
    t.mock.timers.tick(10_000)
    assert.ok(all.every((page) => looks.get(page) === 1))
  })
})
