// What a session does with renewal tokens: handing on the next one, superseding its own ghost, finding a thief.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { startCuttingProxy } from '../cutting-proxy.js'
import { startDjango } from '../django/start-django.js'
import {
  type RenewingSession,
  codeOf,
  logIn,
  openRenewing,
  postLogout,
  renew,
  renewedTicket,
  vanish,
} from '../renewals.js'
import {
  type TestApp,
  events,
  openRaw,
  optionsFor,
  startApp,
  until,
  upgrade,
} from '../start-app.js'

const { pool } = await startDjango()
const start = (options: object = {}): Promise<TestApp> => startApp(optionsFor(pool, options))
const app = await start()
const { sessions } = app.app.perspective

beforeEach(() => {
  events.length = 0
})
afterEach(() => until(() => app.slots() === 0, 'every slot'))

async function assertDead(token: string, what: string): Promise<void> {
  const answer = await renew(app, token)
  assert.equal(answer.status, 401, what)
  assert.equal(codeOf(answer), 'PB_ERR_RENEWAL_REJECTED', what)
}

const comeBack = async (token: string): Promise<RenewingSession> =>
  openRenewing(app, await renewedTicket(app, token))

describe('the next token', () => {
  test('comes with the hello; until it is kept both are good, then only the new one', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const session = await openRenewing(app, ticket)
    assert.equal((await renew(app, renewal)).status, 200, 'the page may not have the new one yet')
    await session.keep()
    await vanish(session, app)
    const again = await comeBack(session.told.token)
    assert.notEqual(again.told.id, session.told.id)
    again.socket.close(1001)
  })

  test('a ticket that was asked with the one before is refused, and nothing is revoked', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const early = await renewedTicket(app, renewal)
    const session = await openRenewing(app, ticket)
    await session.keep()
    assert.equal((await upgrade(app, early)).status, 401)
    assert.equal((await renew(app, session.told.token)).status, 200)
    session.socket.terminate()
  })

  test('ids that were not told are nothing, and hostile notices end nothing', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const session = await openRenewing(app, ticket)
    for (const kept of ['x', '', '__proto__', 5, null, {}, ['x'], 'x'.repeat(10_000)]) {
      session.socket.send(JSON.stringify([[15, { kept }]]))
    }
    for (const notice of [null, 5, 'kept', [], [{ kept: session.told.id }]]) {
      session.socket.send(JSON.stringify([[15, notice]]))
    }
    session.socket.send('[[15,{"ping":77}]]')
    await session.frame('"pong":77')
    assert.equal((await renew(app, renewal)).status, 200, 'it is still the confirmed one')
    session.socket.terminate()
  })

  test('is told by notice again and again while the session is open, under one id until it is kept', async () => {
    const short = await start({ renewal: { lifetimeSeconds: 1 } })
    const { ticket } = await logIn(short, 1)
    const session = await openRenewing(short, ticket)
    await until(() => session.later().length >= 2, 'two notices')
    assert.ok(session.later().every(({ id }) => id === session.told.id))
    assert.equal(new Set(session.later().map(({ token }) => token)).size, session.later().length)
    await session.keep()
    await until(() => session.later().some(({ id }) => id !== session.told.id), 'a new id')
    const fresh = session.later().at(-1)
    assert.ok(fresh !== undefined)
    await session.keep(fresh)
    assert.equal((await renew(short, fresh.token)).status, 200)
    session.socket.terminate()
  })
})

describe('what is lost on the way revokes nobody (door case 57)', () => {
  test("the renewal's answer, the hello, the confirmation: each next try succeeds", async () => {
    const proxy = await startCuttingProxy(app.port, '/perspective')
    let { renewal } = await logIn(app, 1)
    const { warnings } = { warnings: () => app.logs.filter((line) => line.includes('used twice')) }
    for (let round = 0; round < 3; round++) {
      proxy.cutAt((way, bytes) => way === 'down' && bytes.includes('"ticket"'))
      await assert.rejects(renew(proxy, renewal), 'the answer arrived')

      proxy.cutAt((way, bytes) => way === 'down' && bytes.includes('"renewal"'))
      const deaf = await openRaw(proxy, await renewedTicket(proxy, renewal))
      await deaf.closed
      assert.ok(!deaf.frames.join('').includes('renewal'))

      const mute = await openRenewing(proxy, await renewedTicket(proxy, renewal))
      proxy.cutAt((way) => way === 'up')
      mute.socket.send(JSON.stringify([[15, { kept: mute.told.id }]]))
      await mute.closed
      // The page has it, and does not know that the server does not know.
      const back = await openRenewing(proxy, await renewedTicket(proxy, mute.told.token))
      await back.keep()
      renewal = back.told.token
      back.socket.terminate()
    }
    assert.equal(proxy.cuts(), 9)
    assert.deepEqual(warnings(), [])
    assert.equal((await renew(app, renewal)).status, 200)
  })
})

describe('a token that was replaced is shown again (door case 58)', () => {
  test('401; the session of its family ends with 4401, and so do all of its tokens', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const [session, other] = [
      await openRenewing(app, ticket),
      await openRenewing(app, (await logIn(app, 1)).ticket),
    ]
    await session.keep()
    await assertDead(renewal, 'the old one')
    assert.deepEqual(await session.closed, { code: 4401, reason: 'renewal-reused' })
    await until(() => events.includes('detached revoked'), 'detached')
    await assertDead(session.told.token, "its owner's")
    assert.equal((await renew(app, other.told.token)).status, 200, 'another login of the user')
    assert.equal(sessions.count, 1)
    const told = app.logs.find((line) => line.includes('used twice')) ?? ''
    assert.match(told, /"fam":"[\w-]{22}"/)
    assert.doesNotMatch(told, /eyJ/)
    other.socket.terminate()
  })

  test('a thief takes over; the page that was replaced asks once, and that exposes the thief', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const page = await openRenewing(app, ticket)
    const thief = await comeBack(renewal)
    assert.deepEqual(await page.closed, { code: 4409, reason: 'replaced' })
    await thief.keep()
    await assertDead(renewal, 'the page')
    assert.equal((await thief.closed).code, 4401)
    await assertDead(thief.told.token, 'the thief')
  })

  test('a thief who confirms nothing is replaced by the page in turn, and exposed by its next try', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const page = await openRenewing(app, ticket)
    const thief = await comeBack(renewal)
    assert.equal((await page.closed).code, 4409)
    const back = await comeBack(renewal)
    assert.equal((await thief.closed).code, 4409)
    await back.keep()
    await assertDead(thief.told.token, 'the thief')
    assert.equal((await back.closed).code, 4401)
  })
})

describe('the ends of a family', () => {
  test('a goodbye ends it, a lost connection and a closed tab do not (door case 62)', async () => {
    for (const [code, status] of [
      [1000, 401],
      [1001, 200],
      [4001, 200],
    ] as const) {
      const { ticket } = await logIn(app, 1)
      const session = await openRenewing(app, ticket)
      session.socket.close(code)
      await session.closed
      await until(() => app.slots() === 0, 'the slot')
      assert.equal((await renew(app, session.told.token)).status, status, String(code))
    }
  })

  test('disconnect(): the renewal tokens that are out are dead, a new login works (door case 50)', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const offline = await logIn(app, 1)
    const neighbour = await logIn(app, 2)
    const session = await openRenewing(app, ticket)
    sessions.disconnect(6, 'banned')
    assert.deepEqual(await session.closed, { code: 4440, reason: 'banned' })
    for (const token of [renewal, session.told.token, offline.renewal]) {
      await assertDead(token, 'disconnected')
    }
    assert.equal((await renew(app, neighbour.renewal)).status, 200)
    const again = await logIn(app, 1)
    assert.equal((await renew(app, again.renewal)).status, 200)
  })

  test('disconnect() of a user whose families are not known any more, as after a restart (door case 50)', async () => {
    const { renewal } = await logIn(app, 1)
    const restarted = await start()
    restarted.app.perspective.sessions.disconnect('6')
    const answer = await renew(restarted, renewal)
    assert.equal(answer.status, 401)
    assert.equal((await renew(restarted, (await logIn(restarted, 1)).renewal)).status, 200)
  })

  test('session.close() ends that page for good', async () => {
    const { ticket } = await logIn(app, 1)
    const session = await openRenewing(app, ticket)
    sessions.of(6)[0]?.close('enough')
    assert.deepEqual(await session.closed, { code: 4440, reason: 'enough' })
    await assertDead(session.told.token, 'closed by the app')
  })

  test('logout of a page that waits: its ticket is worth nothing, its other tab lives (door case 62)', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const tab = await openRenewing(app, (await logIn(app, 1)).ticket)
    await postLogout(app, renewal)
    assert.equal((await upgrade(app, ticket)).status, 401)
    assert.equal(tab.socket.readyState, 1)
    tab.socket.terminate()
  })
})

describe('after a restart', () => {
  test('a page comes back with what it has; what another one shows of its family then is a stolen token', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const session = await openRenewing(app, ticket)
    await session.keep()
    session.socket.terminate()
    const restarted = await start()
    const back = await openRenewing(restarted, await renewedTicket(restarted, session.told.token))
    assert.equal((await renew(restarted, renewal)).status, 401)
    assert.equal((await back.closed).code, 4401)
  })
})
