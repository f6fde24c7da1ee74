// A checker of the app's own beside Django's: each takes its own credentials and vouches for its own users.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CheckedUser, Checker, Remote, User } from 'fastify-perspective'
import { connect, login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { startDjango } from '../django/start-django.js'
import { type TestContract, openRaw, optionsFor, startApp, until } from '../start-app.js'

declare module 'fastify-perspective/client' {
  interface CustomCredentials {
    badge: { readonly type: 'badge'; readonly code: string }
  }
}

const doors = new Map<string, CheckedUser>()
const guard = (isActive: boolean): CheckedUser => ({
  // `6` is fast1's key in Django's table, too.
  user: Object.freeze({
    id: '6',
    username: 'guard',
    isActive,
    isStaff: false,
    isSuperuser: false,
    lastLogin: null,
  }) satisfies User,
  binding: 'badge 6, first issue',
})
doors.set('6', guard(true))

const badges: Checker = {
  name: 'badges',
  types: ['badge'],
  check: async ({ code }) => (code === 'open sesame' ? (doors.get('6') ?? null) : null),
  load: async (id) => doors.get(id) ?? null,
}

const { pool } = await startDjango()
const app = await startApp(optionsFor(pool, { checkers: [badges] }))
const { sessions } = app.app.perspective

const post = (body: object): Promise<Response> =>
  fetch(`${app.url}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

describe('two checkers (T40, T41)', () => {
  test('each lets its own users in; two users of one id are two', async () => {
    const badge = await login<TestContract>(
      app.url,
      { type: 'badge', code: 'open sesame' },
      { WebSocket },
    )
    const django = await login<TestContract>(
      app.url,
      { username: 'fast1', password: 'fast password 1' },
      { WebSocket },
    )
    assert.deepEqual([badge.user.id, django.user.id], ['6', '6'])
    assert.equal(await badge.perspective.whoAmI(), 'guard')
    assert.equal(await django.perspective.whoAmI(), 'fast1')
    assert.deepEqual(
      sessions.of(6, 'badges').map(({ userKey }) => userKey),
      ['badges:6'],
    )
    assert.equal(sessions.disconnect(6, 'out', 'badges'), 1)
    assert.equal((await badge.ended).code, 4440)
    assert.equal(django.state.name, 'open')
    await django.logout()
  })

  test('a user whose name fits no hello gets no session, and nothing is left of the try', async () => {
    const { binding, user } = guard(true)
    doors.set('6', { binding, user: { ...user, username: 'x'.repeat(9000) } })
    const { ticket } = (await (await post({ type: 'badge', code: 'open sesame' })).json()) as {
      ticket: string
    }
    const { closed } = await openRaw(app, ticket)
    assert.equal((await closed).code, 1006)
    await until(() => app.slots() === 0, 'its slot')
    assert.ok(app.logs.some((line) => line.includes('a session could not begin')))
    doors.set('6', guard(true))
  })

  test('without permissionsOf nothing that requires a permission is allowed', async () => {
    const { perspective, logout } = await login<TestContract>(
      app.url,
      { type: 'badge', code: 'open sesame' },
      { WebSocket },
    )
    const calls: Remote<TestContract> = perspective
    await assert.rejects(calls.guarded(), { code: 'PB_ERR_CALL_DENIED' })
    await logout()
  })

  test('credentials that no checker takes are of no form at all (T39, T78)', async () => {
    for (const body of [
      { type: 'md5', username: 'fast1', response: 'x' },
      { type: 'badges', code: 1 },
    ]) {
      const response = await post(body)
      assert.equal(response.status, 400)
      assert.equal(((await response.json()) as { code: string }).code, 'PB_ERR_LOGIN_SHAPE')
    }
    assert.equal((await post({ type: 'badge', code: 'wrong' })).status, 401)
  })

  test('a ticket dies when its user is inactive, gone, or bound to something else', async () => {
    const changes: (() => void)[] = [
      () => doors.set('6', guard(false)),
      () => doors.delete('6'),
      () => doors.set('6', { ...guard(true), binding: 'badge 6, second issue' }),
    ]
    for (const change of changes) {
      doors.set('6', guard(true))
      const { ticket } = (await (await post({ type: 'badge', code: 'open sesame' })).json()) as {
        ticket: string
      }
      change()
      await assert.rejects(connect(app.url, ticket, { WebSocket }), {
        code: 'PB_ERR_CLIENT_UPGRADE',
      })
    }
    doors.set('6', guard(true))
  })
})
