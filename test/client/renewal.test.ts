// Renewal tokens and tickets over a network that loses what matters, and what a page learns of a refusal.
import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { ConnectError, RequestError, connect } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { startNetwork } from '../support/network.js'
import { DoorServer, type Refusal } from './door-server.js'
import { FAST, cameBack, enter, failure, names, reached, until } from './pages.js'

const server = await DoorServer.start()
const network = await startNetwork(server.port)
const url = `http://127.0.0.1:${String(network.port)}/perspective`
after(async () => {
  await network.close()
  await server.close()
})
const unhandled: unknown[] = []
process.on('unhandledRejection', (error) => unhandled.push(error))
afterEach(async () => {
  network.cutWhen(null)
  server.refusals.clear()
  server.rotates = true
  server.renewalSeconds = 3600
  await server.empty()
  assert.deepEqual(unhandled, [])
})

/** Asks for a ticket as somebody who has got hold of a token. */
const renewWith = (renewal: unknown, base = server.url) =>
  fetch(`${base}/renew`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ renewal }),
  })

const lastRenewal = () =>
  server.requests.filter(({ route }) => route === 'renew').at(-1)?.body['renewal']

describe('renewal tokens', () => {
  test('the next one comes with the hello, is kept, acknowledged, and is what is shown then', async () => {
    const page = await enter(url)
    await until(
      () => server.newest.notices.some((notice) => 'kept' in notice),
      'the acknowledgement',
    )
    const { family } = server.newest
    const confirmed = server.family(family)?.confirmed
    assert.deepEqual(server.newest.notices, [{ kept: confirmed }])
    network.cut()
    await cameBack(page)
    const shown = String(lastRenewal())
    assert.match(
      Buffer.from(shown.split('.')[1] ?? '', 'base64url').toString(),
      new RegExp(String(confirmed)),
    )
    assert.deepEqual(server.requests.at(-2)?.body['expect'], '1')
    await page.session.logout()
  })

  test('a fresh one while open is kept the same way', async () => {
    const page = await enter(url)
    await page.session.perspective.echo(1)
    server.rotate()
    const { pending } = server.family(server.newest.family) ?? {}
    await until(
      () => server.family(server.newest.family)?.confirmed === pending,
      'its acknowledgement',
    )
    network.cut()
    await cameBack(page)
    await page.session.logout()
  })

  const losses: [name: string, look: (way: string, text: string) => boolean][] = [
    ['the answer of /renew', (way, text) => way === 'down' && text.includes('"ticket"')],
    ['the hello', (way, text) => way === 'down' && text.includes('"spreadMs"')],
  ]
  for (const [name, look] of losses) {
    test(`door case 57: ${name} is lost three times, the next try succeeds`, async () => {
      const page = await enter(url)
      let lost = 0
      network.cutWhen((way, bytes) => lost < 3 && look(way, bytes.toString('latin1')) && ++lost > 0)
      network.cut()
      await cameBack(page)
      await until(() => lost === 3 && page.session.state.name === 'open', 'the fourth try')
      assert.equal(await page.session.perspective.echo('well'), 'well')
      assert.ok(!server.family(server.newest.family)?.isDead)
      await page.session.logout()
    })
  }

  test('door case 57: the acknowledgement is lost, the pending token is good', async () => {
    const page = await enter(url)
    let hasHello = false
    let lost = 0
    network.cutWhen((way, bytes) => {
      if (lost === 3) return false
      if (way === 'down' && bytes.includes('"spreadMs"')) hasHello = true
      else if (way === 'up' && hasHello) {
        hasHello = false
        lost += 1
        return true
      }
      return false
    })
    network.cut()
    await until(
      () => lost === 3 && server.newest.notices.some((notice) => 'kept' in notice),
      'the connection that stays',
    )
    assert.equal(await page.session.perspective.echo('well'), 'well')
    assert.ok(!server.family(server.newest.family)?.isDead)
    await page.session.logout()
  })

  test('door case 58: somebody shows the token before: the session ends, and is told why', async () => {
    const page = await enter(url)
    await page.session.perspective.echo(1)
    network.cut()
    await cameBack(page)
    const old = lastRenewal()
    await until(() => server.newest.notices.length > 0, 'the acknowledgement')
    assert.equal((await renewWith(old)).status, 401)
    assert.deepEqual(await page.session.ended, {
      code: 4401,
      reason: 'renewal-reused',
      byPeer: true,
    })
    assert.deepEqual(names(page).at(-1), 'ended')
  })

  test('one that has expired by the clock of the page is shown: the server says whether it has', async () => {
    server.renewalSeconds = -1
    const page = await enter(url)
    const before = server.count('renew')
    network.cut()
    assert.deepEqual(await page.session.ended, {
      code: 4401,
      reason: 'PB_ERR_RENEWAL_REJECTED',
      byPeer: true,
    })
    assert.equal(server.count('renew'), before + 1)
  })

  test('a process that has forgotten everything takes it, and one that has died is waited for', async () => {
    const page = await enter(url)
    await page.session.perspective.echo(1)
    await server.crash(async () => {
      await until(() => page.states.filter(({ name }) => name === 'connecting').length > 2, 'tries')
    })
    await reached(page, 'open')
    assert.equal(await page.session.perspective.echo('well'), 'well')
    await page.session.logout()
  })

  test('door case 63: the old socket is half-open: it is replaced before the new one is attached', async () => {
    const page = await enter(url)
    server.events.length = 0
    network.abandon()
    await cameBack(page)
    assert.equal(await page.session.perspective.echo('well'), 'well')
    assert.deepEqual(server.events, ['detached 4409', 'attached'])
    await page.session.logout()
  })
})

describe('logout', () => {
  test('door case 62: while open: the token is dead, another tab is not', async () => {
    const page = await enter(url)
    const other = await enter(url)
    await page.session.perspective.echo(1)
    network.cut()
    await Promise.all([cameBack(page), cameBack(other)])
    await page.session.logout()
    const { renewal } = server.requests.findLast(({ route }) => route === 'logout')?.body ?? {}
    assert.equal((await renewWith(renewal)).status, 401)
    assert.deepEqual(await page.session.ended, { code: 1000, reason: 'logout', byPeer: false })
    assert.equal(await other.session.perspective.echo('still here'), 'still here')
    await other.session.logout()
  })

  test('door case 62: while waiting, and while a try is under way', async () => {
    for (const name of ['waiting', 'connecting'] as const) {
      const page = await enter(url)
      if (name === 'connecting') server.hung.add('renew')
      else
        server.refusals.set('renew', { status: 503, code: 'PB_ERR_DB_UNAVAILABLE', retryAfter: 60 })
      network.cut()
      await reached(page, name)
      if (name === 'waiting') {
        await until(
          () => page.states.some((state) => state.name === 'waiting' && state.attempt === 2),
          'the refusal',
        )
      }
      const before = server.count('logout')
      await page.session.logout()
      assert.equal(page.session.state.name, 'ended')
      server.hung.clear()
      server.refusals.clear()
      assert.equal(server.count('logout'), before + 1)
      assert.equal((await renewWith(server.requests.at(-1)?.body['renewal'])).status, 401)
      assert.equal(names(page).at(-1), 'ended')
    }
  })

  test('door case 62: while offline: ended at once, and the server hears of it when the page is online', async (t) => {
    // What a page has of it.
    const events = new EventTarget()
    const global = globalThis as unknown as { addEventListener?: unknown }
    global.addEventListener = events.addEventListener.bind(events)
    t.after(() => delete global.addEventListener)
    const page = await enter(url)
    await page.session.perspective.echo(1)
    await network.refuse(true)
    await reached(page, 'waiting')
    const before = server.count('logout')
    await page.session.logout()
    assert.equal((await page.session.ended).reason, 'logout')
    await network.refuse(false)
    assert.equal(server.count('logout'), before)
    events.dispatchEvent(new Event('online'))
    await until(() => server.count('logout') === before + 1, 'the logout')
    assert.equal((await renewWith(server.requests.at(-1)?.body['renewal'])).status, 401)
    events.dispatchEvent(new Event('online'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(server.count('logout'), before + 1)
  })

  test('by the server: a session that it ends with 1000 does not come back', async () => {
    const page = await enter(url)
    await renewWith(undefined)
    server.newest.broker.close(1000, 'logout')
    assert.deepEqual(await page.session.ended, { code: 1000, reason: 'logout', byPeer: true })
    await page.session.logout()
  })
})

describe('the reason of a refused socket', () => {
  const refusals: (Refusal & { readonly ends: number | null })[] = [
    { status: 401, code: 'PB_ERR_RENEWAL_REJECTED', ends: 4401 },
    { status: 403, code: 'PB_ERR_ORIGIN_REFUSED', ends: 4403 },
    { status: 409, code: 'PB_ERR_USER_CHANGED', ends: 4401 },
    { status: 429, code: 'PB_ERR_UPGRADE_LIMIT', retryAfter: 7, ends: null },
    { status: 503, code: 'PB_ERR_UPGRADE_FULL', retryAfter: 9, ends: null },
  ]
  for (const { ends, ...refusal } of refusals) {
    const { status, code, retryAfter } = refusal
    test(`door case 64: ${String(status)} at a login, and at a reconnect`, async () => {
      server.refusals.set('socket', refusal)
      server.refusals.set('renew', refusal)
      const error = await failure(enter(url))
      assert.ok(error instanceof RequestError)
      assert.deepEqual(
        [error.status, error.code, error.retryAfterSeconds],
        [status, code, retryAfter ?? null],
      )
      server.refusals.clear()
      const page = await enter(url)
      server.refusals.set('socket', refusal)
      server.refusals.set('renew', refusal)
      network.cut()
      if (ends === null) {
        await until(
          () =>
            page.states.some((state) => state.name === 'waiting' && state.reason.reason === code),
          'the reason',
        )
        const state = page.session.state
        assert.ok(state.name === 'waiting')
        const seconds = (state.until.getTime() - Date.now()) / 1000
        assert.ok(seconds > (retryAfter ?? 0) - 2, `the server's hint is kept: ${String(seconds)}`)
        await page.session.logout()
      } else {
        assert.deepEqual(await page.session.ended, { code: ends, reason: code, byPeer: true })
      }
    })
  }

  test('tickets granted and sockets refused three times: PB_ERR_UPGRADE_BLOCKED says what to look at', async () => {
    server.refusals.set('socket', { status: 426, code: '' })
    const error = await failure(enter(url))
    assert.ok(error instanceof ConnectError)
    assert.equal(error.code, 'PB_ERR_UPGRADE_BLOCKED')
    assert.match(error.message, /proxy.*connect-src/)
    const asked = await failure(
      connect(url, () => server.mintTicket('1'), { WebSocket, reconnect: FAST }),
    )
    assert.equal(asked['code'], 'PB_ERR_UPGRADE_BLOCKED')
    const plain = await failure(connect(url, server.mintTicket('1'), { WebSocket }))
    assert.equal(plain['code'], 'PB_ERR_CLIENT_UPGRADE')
  })

  test('of a session that was open it is the reason while it goes on trying', async () => {
    const page = await enter(url)
    server.refusals.set('socket', { status: 502, code: '' })
    network.cut()
    await until(
      () =>
        page.states.some(
          (state) => state.name === 'waiting' && state.reason.reason === 'PB_ERR_UPGRADE_BLOCKED',
        ),
      'the reason',
    )
    server.refusals.clear()
    await reached(page, 'open')
    await page.session.logout()
  })

  test("a proxy's answers are no refusal: it is tried again", async () => {
    const page = await enter(url)
    server.refusals.set('renew', { status: 401, code: 'proxy' })
    network.cut()
    await until(
      () =>
        page.states.some(
          (state) =>
            state.name === 'waiting' && state.reason.reason === 'PB_ERR_CLIENT_UNREACHABLE',
        ),
      'the reason',
    )
    server.refusals.clear()
    await reached(page, 'open')
    await page.session.logout()
  })
})
