// Silence, and what a page makes of it. The clock is the test's; sockets and the network are real.
import assert from 'node:assert/strict'
import { type TestContext, after, afterEach, describe, test } from 'node:test'
import { Clock } from '../support/clock.js'
import { type Way, startNetwork } from '../support/network.js'
import { DoorServer } from './door-server.js'
import { httpFetch } from './http-fetch.js'
import { type Page, FAST, enter as enterAt, failure, names, reached, until } from './pages.js'

const server = await DoorServer.start()
const network = await startNetwork(server.port)
const url = `http://127.0.0.1:${String(network.port)}/perspective`
after(async () => {
  await network.close()
  await server.close()
})
afterEach(async () => {
  network.swallow()
  server.hung.clear()
  server.greets = true
  await server.empty()
})

const enter = (options: object = {}): Promise<Page> =>
  enterAt(url, { fetch: httpFetch, ...options })

/** Goes on with the clock until a state is reached. */
async function passUntil(
  clock: Clock,
  page: Page,
  name: 'open' | 'waiting' | 'ended',
): Promise<void> {
  await until(() => {
    if (page.session.state.name === name) return true
    clock.tick(10)
    return false
  }, name)
}

const pings = (): number => server.newest.notices.filter((notice) => 'ping' in notice).length

/** Ends a session whose timers are the test's. */
async function leave(clock: Clock, page: Page): Promise<void> {
  clock.stop()
  network.swallow()
  await page.session.logout()
}

/** Gives this process the events of a page. */
function usePage(t: TestContext): {
  readonly dispatch: (type: string) => void
  readonly setVisible: (is: boolean) => void
} {
  const events = new EventTarget()
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  const global = globalThis as unknown as Record<string, unknown>
  global['addEventListener'] = events.addEventListener.bind(events)
  global['document'] = page
  t.after(() => {
    delete global['addEventListener']
    delete global['document']
  })
  return {
    dispatch(type) {
      const target = type === 'visibilitychange' || type === 'resume' ? page : events
      target.dispatchEvent(new Event(type))
    },
    setVisible(is) {
      page.visibilityState = is ? 'visible' : 'hidden'
    },
  }
}

describe('a page hears nothing', () => {
  test('65 seconds of silence are asked about, and an answer is enough', async (t) => {
    const clock = new Clock(t)
    const page = await enter()
    await page.session.perspective.echo(1)
    clock.tick(5_000)
    for (let round = 1; round <= 3; round++) {
      clock.tick(59_000)
      assert.equal(pings(), round - 1)
      clock.tick(1_100)
      await until(() => pings() === round, 'the ping')
      await page.session.perspective.echo(round)
      clock.tick(5_000)
    }
    assert.equal(page.session.state.name, 'open')
    await leave(clock, page)
  })

  const holes: Way[][] = [['up', 'down'], ['up'], ['down']]
  for (const ways of holes) {
    test(`door case 65: a black hole ${ways.join(' and ')}: the page knows after 70 seconds, and comes back`, async (t) => {
      const clock = new Clock(t)
      const page = await enter()
      await page.session.perspective.echo(1)
      const call = failure(page.session.perspective.hang())
      await page.session.perspective.echo(2)
      network.swallow(...ways)
      clock.tick(65_000)
      // What could still come has come.
      await until(() => ways.includes('up') || pings() === 1, 'the ping')
      assert.equal(page.session.state.name, 'open')
      clock.tick(5_000)
      await reached(page, 'waiting')
      const [state] = page.states
      assert.ok(state?.name === 'waiting')
      assert.deepEqual(state.reason, { code: 4408, reason: 'silent', byPeer: false })
      assert.equal((await call)['outcome'], 'unknown')
      network.swallow()
      await passUntil(clock, page, 'open')
      assert.equal(await page.session.perspective.echo('well'), 'well')
      await leave(clock, page)
    })
  }

  test('an idle page has one timer, and none shorter than 25 seconds', async (t) => {
    const clock = new Clock(t)
    const page = await enter()
    await page.session.perspective.echo(1)
    clock.tick(20_000)
    clock.delays.length = 0
    let heard = 0
    for (let minute = 0; minute < 40; minute++) {
      // What the server says where it has nothing to say.
      server.newest.broker.notify({})
      await page.session.perspective.echo((heard += 1))
      clock.tick(25_000)
    }
    const { delays } = clock
    assert.ok(delays.length > 10 && delays.length < 40, String(delays))
    assert.ok(
      delays.every((ms) => ms >= 25_000),
      String(delays),
    )
    assert.equal(pings(), 0)
    await leave(clock, page)
  })

  test('timestamps are compared: a timer that comes hours late asks before it ends anything', async (t) => {
    const clock = new Clock(t)
    const page = await enter()
    await page.session.perspective.echo(1)
    clock.jump(3 * 3_600_000)
    clock.tick(65_000)
    await until(() => pings() === 1, 'the ping')
    await page.session.perspective.echo(2)
    clock.tick(60_000)
    assert.equal(page.session.state.name, 'open')
    await leave(clock, page)
  })
})

describe('a page wakes', () => {
  for (const type of ['online', 'pageshow', 'visibilitychange', 'resume']) {
    test(`${type}: a connection that was silent for 10 seconds is asked, and lost after 3 more`, async (t) => {
      const clock = new Clock(t)
      const { dispatch } = usePage(t)
      const page = await enter()
      await page.session.perspective.echo(1)
      clock.tick(9_000)
      dispatch(type)
      await page.session.perspective.echo(2)
      assert.equal(pings(), 0)
      clock.tick(11_000)
      dispatch(type)
      dispatch(type)
      await until(() => pings() === 1, 'the ping')
      await page.session.perspective.echo(3)
      clock.tick(3_000)
      assert.equal(page.session.state.name, 'open')
      network.swallow('down')
      clock.tick(11_000)
      dispatch(type)
      clock.tick(3_000)
      assert.equal((await reached(page, 'waiting')).reason.code, 4408)
      await leave(clock, page)
    })

    test(`${type}: who waits tries now, and not more often than once in 5 seconds`, async (t) => {
      const clock = new Clock(t)
      const { dispatch } = usePage(t)
      const page = await enter({ reconnect: { minDelayMs: 60_000, maxDelayMs: 60_000 } })
      await network.refuse(true)
      await passUntil(clock, page, 'waiting')
      const tries = (): number => names(page).filter((name) => name === 'connecting').length
      await until(() => {
        if (tries() === 1 && page.session.state.name === 'waiting') return true
        clock.tick(10)
        return false
      }, 'the first try')
      for (let n = 0; n < 20; n++) {
        dispatch(type)
        clock.tick(500)
        await new Promise((resolve) => setImmediate(resolve))
      }
      await until(() => page.session.state.name === 'waiting', 'the end of a try')
      assert.ok(tries() >= 2 && tries() <= 4, String(tries()))
      await network.refuse(false)
      clock.tick(5_000)
      dispatch(type)
      await passUntil(clock, page, 'open')
      await leave(clock, page)
    })
  }

  test('a page that is hidden is left alone, and one that is put away closes with 4001', async (t) => {
    const clock = new Clock(t)
    const { dispatch, setVisible } = usePage(t)
    const page = await enter()
    await page.session.perspective.echo(1)
    clock.tick(11_000)
    setVisible(false)
    dispatch('visibilitychange')
    await page.session.perspective.echo(1)
    assert.equal(pings(), 0)
    dispatch('pagehide')
    const { reason, until: at } = await reached(page, 'waiting')
    assert.deepEqual(reason, { code: 4001, reason: 'asleep', byPeer: false })
    assert.ok(at.getTime() - Date.now() >= 5000)
    await until(() => server.newest.closed?.code === 4001, "the server's end")
    dispatch('pageshow')
    await passUntil(clock, page, 'open')
    await leave(clock, page)
    // Nothing listens any more.
    dispatch('online')
    dispatch('pagehide')
    assert.equal(page.session.state.name, 'ended')
  })

  test('a page that knows that it is offline waits for a minute, unless it comes online', async (t) => {
    const clock = new Clock(t)
    const { dispatch } = usePage(t)
    const page = await enter()
    const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
    t.after(() => {
      if (before === undefined) delete (globalThis as { navigator?: unknown }).navigator
      else Object.defineProperty(globalThis, 'navigator', before)
    })
    const navigator = { onLine: false }
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
    network.cut()
    const { until: at } = await reached(page, 'waiting')
    assert.ok(at.getTime() - Date.now() >= 59_000)
    navigator.onLine = true
    dispatch('online')
    clock.tick(500)
    await passUntil(clock, page, 'open')
    await leave(clock, page)
  })
})

describe('deadlines', () => {
  test('no answer to the upgrade in 10 seconds, no hello in 12: another try', async (t) => {
    const faults: [spoil: () => unknown, mend: () => unknown, ms: number][] = [
      [() => server.hung.add('socket'), () => server.hung.delete('socket'), 10_000],
      [() => (server.greets = false), () => (server.greets = true), 12_000],
    ]
    for (const [spoil, mend, ms] of faults) {
      const clock = new Clock(t)
      const page = await enter()
      spoil()
      const sockets = server.count('socket')
      network.cut()
      await passUntil(clock, page, 'waiting')
      await until(() => {
        if (server.count('socket') > sockets) return true
        clock.tick(10)
        return false
      }, 'the upgrade')
      clock.tick(ms - 1000)
      assert.equal(page.session.state.name, 'connecting')
      await until(() => {
        if (page.session.state.name === 'waiting') return true
        clock.tick(100)
        return false
      }, 'the deadline')
      assert.equal((await reached(page, 'waiting')).reason.reason, 'PB_ERR_CLIENT_TIMEOUT')
      mend()
      await passUntil(clock, page, 'open')
      await leave(clock, page)
    }
  })

  test('no answer of a route in 10 seconds: another try', async (t) => {
    const clock = new Clock(t)
    const page = await enter()
    const before = server.count('renew')
    server.hung.add('renew')
    network.cut()
    await passUntil(clock, page, 'waiting')
    await until(() => {
      if (server.count('renew') > before) return true
      clock.tick(10)
      return false
    }, 'the request')
    clock.tick(9_000)
    assert.equal(page.session.state.name, 'connecting')
    clock.tick(1_000)
    assert.equal((await reached(page, 'waiting')).reason.reason, 'PB_ERR_CLIENT_UNREACHABLE')
    server.hung.clear()
    await passUntil(clock, page, 'open')
    await leave(clock, page)
  })

  test('a realm that fails each time is tried five times', async (t) => {
    const clock = new Clock(t)
    const page = await enter({ reconnect: FAST })
    let sessions = server.admitted.length
    for (let n = 1; n <= 5; n++) {
      server.newest.broker.close(1011, 'PB_ERR_SESSION_FAILED')
      await reached(page, 'waiting')
      clock.tick(10_000)
      await until(() => server.admitted.length === sessions + 1, 'another try')
      await reached(page, 'open')
      sessions += 1
    }
    server.newest.broker.close(1011, 'PB_ERR_SESSION_FAILED')
    assert.equal((await page.session.ended).code, 1011)
    clock.stop()
  })

  test('30 seconds open make the tries before forgotten', async (t) => {
    const clock = new Clock(t)
    const page = await enter()
    for (const [ms, attempt] of [
      [1_000, 1],
      [1_000, 2],
      [31_000, 1],
    ] as const) {
      await page.session.perspective.echo(1)
      clock.tick(ms)
      network.cut()
      assert.equal((await reached(page, 'waiting')).attempt, attempt)
      await passUntil(clock, page, 'open')
    }
    await leave(clock, page)
  })
})
