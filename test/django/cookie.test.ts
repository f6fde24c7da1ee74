// People log in on the site of a real Django, and the cookie that it gives them is a way in here.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PerspectiveOptions } from 'fastify-perspective'
import { DjangoSessions, type SessionEngine, type UserModel } from 'fastify-perspective/django'
import { snapshot } from '../plugin/django/django-session.js'
import { code, postTicket, statusOf, ticketFor } from '../plugin/login/post-ticket.js'
import { type TestApp, optionsFor, startApp } from '../plugin/start-app.js'
import { startRealDjango, whyNot, type RealDjango, type Settings } from './real-django.js'

const SECRET_KEY = 'the key of a project in a test'
const FORMER_KEY = 'the key it had before'

const MEMBER: UserModel = {
  table: 'people_member',
  idColumn: 'key',
  usernameColumn: 'email',
  isActiveColumn: 'enabled',
  isStaffColumn: null,
  where: 'left_at IS NULL',
}

const SITES: readonly [Settings, UserModel, string][] = [
  ['example.settings', {}, 'ada'],
  ['example.member_settings', MEMBER, 'ada@example.com'],
]
const PASSWORDS = ['difference engine no. 1', 'difference engine no. 2'] as const

for (const version of ['4.2', '5.2'] as const) {
  for (const [settings, model, name] of SITES) {
    const skip = whyNot(version)
    describe(`the session cookie of Django ${version}, ${settings}`, { skip }, async () => {
      if (skip !== false) return
      const django = await startRealDjango(version, settings)
      for (const engine of ['db', 'cached_db', 'signed_cookies'] as const) {
        await testEngine(django, engine, model, `${engine}.${name}`)
      }
    })
  }
}

async function testEngine(
  django: RealDjango,
  engine: SessionEngine,
  users: UserModel,
  name: string,
): Promise<void> {
  const { pool } = django
  const [first, second] = PASSWORDS
  const { id } = await django.ask<{ id: string }>('create', { name, password: first })
  const start = async (secretKeys: string[]): Promise<TestApp> => {
    const djangoSessions = { secretKeys, engine }
    const options = { users, djangoSessions } as Partial<PerspectiveOptions>
    return startApp(optionsFor(pool, options))
  }
  const app = await start([SECRET_KEY, FORMER_KEY])
  const logIn = (browser: string, password: string, secret_key?: string): Promise<string> =>
    django.ask('site_log_in', { browser, name, password, engine, secret_key })
  const who = (browser: string): Promise<unknown> => django.ask('site_who', { browser })
  /** Status and, of a refusal, code. */
  const show = async (cookie: string, at: TestApp = app): Promise<unknown> => {
    const answer = await postTicket(at, { cookie: `sessionid=${cookie}` })
    return answer.status === 200
      ? (JSON.parse(answer.body) as { user: unknown }).user
      : [answer.status, code(answer)]
  }
  const REJECTED = [401, 'PB_ERR_LOGIN_REJECTED']
  /** Both what we say of a cookie and what the site says of its browser. */
  const isIn = async (browser: string, cookie: string, expected: boolean): Promise<void> => {
    assert.deepEqual(await show(cookie), expected ? { id, username: name } : REJECTED)
    assert.equal(await who(browser), expected ? id : null)
  }

  test(`${engine}: is whom the site has logged in, and its session is never touched (case 41, 73, 76)`, async () => {
    const cookie = await logIn('a', first)
    const before = await snapshot(pool)
    if (engine !== 'signed_cookies') assert.ok(before.length > 0)
    assert.deepEqual(await show(cookie), { id, username: name })
    assert.equal(await statusOf(app, await ticketFor(app, cookie)), 101)
    assert.deepEqual(await show(`${cookie}x`), REJECTED)
    assert.deepEqual(await snapshot(pool), before)
    await isIn('a', cookie, true)
  })

  test(`${engine}: ends with its logout there, and nobody else’s does (door case 45)`, async () => {
    const [one, other] = [await logIn('one', first), await logIn('other', first)]
    const sessions = new DjangoSessions(pool, { secretKeys: [SECRET_KEY], engine })
    assert.deepEqual(await sessions.alive([one, other]), new Set([one, other]))
    const [ticket, otherTicket] = [await ticketFor(app, one), await ticketFor(app, other)]
    await django.ask('site_log_out', { browser: 'one' })
    if (engine === 'signed_cookies') {
      // Django has nothing to end: the cookie, once copied, is good until its time. The same here.
      assert.deepEqual(await show(one), { id, username: name })
      assert.equal(await statusOf(app, ticket), 101)
    } else {
      await isIn('one', one, false)
      assert.deepEqual(await sessions.alive([one, other]), new Set([other]))
      assert.equal(await statusOf(app, ticket), 401)
    }
    await isIn('other', other, true)
    assert.equal(await statusOf(app, otherTicket), 101)
  })

  test(`${engine}: ends with a new password, but for the browser that has set it (case 62)`, async () => {
    const [old, elsewhere] = [await logIn('here', first), await logIn('elsewhere', first)]
    const ticket = await ticketFor(app, elsewhere)
    const browser = 'here'
    const cookie = await django.ask<string>('site_change_password', {
      browser,
      old: first,
      new: second,
    })
    assert.notEqual(cookie, old)
    assert.deepEqual(await show(old), REJECTED)
    assert.equal(await statusOf(app, ticket), 401)
    await isIn('here', cookie, true)
    await isIn('elsewhere', elsewhere, false)
    await django.ask('set_password', { name, password: first })
    await isIn('here', cookie, false)
  })

  test(`${engine}: is nobody’s while the user is inactive (case 72)`, async () => {
    const cookie = await logIn('a', first)
    await django.ask('change', { name, is_active: false })
    assert.deepEqual(await show(cookie), REJECTED)
    await django.ask('change', { name, is_active: true })
    assert.deepEqual(await show(cookie), { id, username: name })
  })

  test(`${engine}: of a key that is a fallback by now is taken, and left as it is (case 66, 73)`, async () => {
    const cookie = await logIn('old', first, FORMER_KEY)
    const before = await snapshot(pool)
    assert.deepEqual(await show(cookie), { id, username: name })
    assert.deepEqual(await show(cookie, await start([FORMER_KEY])), { id, username: name })
    assert.deepEqual(await show(cookie, await start([SECRET_KEY])), REJECTED)
    assert.deepEqual(await snapshot(pool), before)
    const fallbacks = [FORMER_KEY]
    const asked = { browser: 'old', secret_key: SECRET_KEY }
    assert.equal(await django.ask('site_who', { ...asked, fallbacks }), id)
  })
}
