// What becomes of a session cookie's tickets: bound to their session, admitted while it lives, and no trace of its key.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import type { User } from 'fastify-perspective/django'
import { boundTo, CookieSessions } from '../../../dist/plugin/login/cookie-sessions.js'
import { openTickets } from '../../../dist/plugin/ticket/open-tickets.js'
import { readTicketOption } from '../../../dist/plugin/ticket/ticket-options.js'
import { addLogin, SECRET_KEY, snapshot } from '../django/django-session.js'
import { startDjango } from '../django/start-django.js'
import { PAGE, SECRET, optionsFor, startApp, ticketOf, until, upgrade } from '../start-app.js'
import { claimsOf, postTicket, statusOf, ticketFor } from './post-ticket.js'

const { pool } = await startDjango()
const app = await startApp(optionsFor(pool, { djangoSessions: { secretKeys: [SECRET_KEY] } }))

describe('a session of a session cookie', () => {
  test('is one user with the one of a password, whichever way they came (door hole 21)', async () => {
    const { sessions } = app.app.perspective
    await until(() => app.slots() === 0, 'an empty house')
    const [cookie, password] = [
      await ticketFor(app, await addLogin(pool, 'fast1')),
      await ticketOf(app, 1),
    ]
    const one = await upgrade(app, cookie, { origin: PAGE })
    const other = await upgrade(app, password)
    const entries = (
      sessions as unknown as { entries(): { readonly sessionKey: string | null }[] }
    ).entries()
    assert.deepEqual(
      entries.map(({ sessionKey }) => typeof sessionKey),
      ['string', 'object'],
    )
    sessions.disconnect(6)
    for (const { socket } of [one, other]) await until(() => socket.readableLength > 0, 'a close')
    for (const { socket } of [one, other]) socket.destroy()
  })

  test('a ticket is refused when its session, password or user has gone meanwhile', async () => {
    const changes: [string, string][] = [
      ['DELETE FROM django_session WHERE session_key = $1', ''],
      ["UPDATE django_session SET expire_date = now() - '1s'::interval WHERE session_key = $1", ''],
      [
        "UPDATE auth_user SET password = password || 'x' WHERE username = 'fast3' AND $1 <> ''",
        "UPDATE auth_user SET password = left(password, -1) WHERE username = 'fast3'",
      ],
      [
        "UPDATE auth_user SET is_active = false WHERE username = 'fast3' AND $1 <> ''",
        "UPDATE auth_user SET is_active = true WHERE username = 'fast3'",
      ],
    ]
    for (const [change, back] of changes) {
      const key = await addLogin(pool, 'fast3')
      const ticket = await ticketFor(app, key)
      await pool.query(change, [key])
      assert.equal(await statusOf(app, ticket), 401, change)
      if (back !== '') await pool.query(back)
    }
    assert.equal(await statusOf(app, await ticketFor(app, await addLogin(pool, 'fast3'))), 101)
  })

  test('the session table away at the upgrade is 503', async (t) => {
    const ticket = await ticketFor(app, await addLogin(pool, 'fast1'))
    await pool.query('ALTER TABLE django_session RENAME TO elsewhere')
    t.after(() => pool.query('ALTER TABLE IF EXISTS elsewhere RENAME TO django_session'))
    assert.equal(await statusOf(app, ticket), 503)
  })

  test('no request writes to django_session (case 73, 76)', async () => {
    const good = await addLogin(pool, 'fast1')
    const before = await snapshot(pool)
    for (let n = 0; n < 20; n++) {
      for (const key of [good, 'wrong key of a session', `unknown${String(n)}`])
        await postTicket(app, { cookie: `sessionid=${key}` }, n % 2 === 0 ? {} : { expect: '9' })
      await statusOf(app, await ticketFor(app, good))
    }
    assert.deepEqual(await snapshot(pool), before)
  })

  test('a session key is in no log, no ticket and no session that is printed (case 78)', async () => {
    const key = await addLogin(pool, 'fast1')
    const ticket = await ticketFor(app, key)
    assert.ok(!JSON.stringify(claimsOf(ticket)).includes(key))
    const { socket } = await upgrade(app, ticket, { origin: PAGE })
    const entries = (app.app.perspective.sessions as unknown as { entries(): unknown[] }).entries()
    assert.equal((entries[0] as { sessionKey: unknown }).sessionKey, key)
    assert.ok(!inspect(entries, { depth: 9 }).includes(key))
    assert.ok(!JSON.stringify(entries).includes(key))
    socket.destroy()
    const logs = app.logs.join('')
    assert.ok(!logs.includes(key) && !logs.includes(SECRET_KEY))
  })
})

describe('the sessions of tickets that are out', () => {
  const store = (now: () => number): CookieSessions =>
    new CookieSessions(null as never, null as never, { cookieName: 'sessionid' }, now)

  test('are handed over once, and forgotten with their tickets', () => {
    let now = 0
    const sessions = store(() => now)
    assert.ok(sessions.remember('a', 'key of a', 10))
    assert.equal(sessions.take('a'), 'key of a')
    assert.equal(sessions.take('a'), null)
    assert.ok(sessions.remember('b', 'key of b', 10))
    now = 11
    assert.ok(sessions.remember('c', 'key of c', 20))
    assert.equal(sessions.take('b'), null)
    assert.equal(sessions.take('c'), 'key of c')
  })

  test('are bounded, and there is room again when they have expired', () => {
    let now = 0
    const sessions = store(() => now)
    let count = 0
    while (count < 1_000_000 && sessions.remember(`jti ${String(count)}`, 'x'.repeat(4000), 10))
      count++
    assert.ok(count > 3000 && count < 5000, String(count))
    now = 11
    assert.ok(sessions.remember('later', 'x'.repeat(4000), 20))
  })
})

test('a ticket of a session is bound to it: where the session is not known it opens nothing', async () => {
  const { tickets } = openTickets(
    readTicketOption({ secret: SECRET }, '', undefined),
    null,
    43_200,
    Date.now,
  )
  const user = { id: '6', username: 'fast1', isActive: true } as User
  const account = { user, binding: 'hash', checker: 'django' }
  const claims = await tickets.verify(await tickets.mint(boundTo(account, 'a session'), PAGE))
  assert.ok(claims)
  assert.equal(tickets.isBound(claims, boundTo(account, 'a session')), true)
  assert.equal(tickets.isBound(claims, boundTo(account, 'another')), false)
  assert.equal(tickets.isBound(claims, boundTo(account, null)), false)
})
