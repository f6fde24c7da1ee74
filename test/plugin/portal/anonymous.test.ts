// Anonymous: Django's AnonymousUser, where the site lets it in.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { User } from 'fastify-perspective'
import { login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { startDjango } from '../django/start-django.js'
import {
  type TestContract,
  TestRealm,
  WIDE,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
  upgrade,
} from '../start-app.js'

const { pool } = await startDjango()
const seen: User[] = []
const realm: typeof TestRealm = (session) => {
  seen.push(session.user)
  return TestRealm(session)
}
const sessions = { perUser: 1, total: 3 }
const app = await startApp(optionsFor(pool, { anonymous: true, sessions, realm }))
const anonymous = { type: 'anonymous' } as const
const enter = () => login<TestContract>(app.url, anonymous, { WebSocket })

describe('{ type: "anonymous" } (door hole 21)', () => {
  test('lets a page in as nobody, without a query, and answers its calls (T38)', async (t) => {
    const query = t.mock.method(pool, 'query')
    const session = await enter()
    assert.equal(session.user.username, '')
    assert.match(session.user.id, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
    assert.equal(await session.perspective.whoAmI(), '')
    const [user] = seen
    assert.deepEqual(
      { ...user! },
      {
        ...{ id: session.user.id, username: '', isActive: true },
        ...{ isStaff: false, isSuperuser: false, lastLogin: null, groups: [] },
      },
    )
    assert.ok(Object.isFrozen(user))
    assert.equal(query.mock.callCount(), 0)
    await session.logout()
  })

  test('has no permissions (case 58)', async () => {
    const session = await enter()
    await assert.rejects(session.perspective.guarded(), { code: 'PB_ERR_CALL_DENIED' })
    const [open] = app.app.perspective.sessions
    assert.equal(await open?.hasPerm('chat.delete_line'), false)
    assert.equal(await open?.hasPerm(''), false)
    await session.logout()
  })

  test('is somebody else each time: perUser does not lump them, total holds', async () => {
    await until(() => app.slots() === 0, 'an empty house')
    const all = [await enter(), await enter(), await enter()]
    assert.equal(new Set(all.map(({ user }) => user.id)).size, 3)
    const keys = [...app.app.perspective.sessions].map(({ userKey }) => userKey)
    for (const [index, { user }] of all.entries()) {
      assert.equal(keys[index], `anonymous:${user.id}`)
    }
    await assert.rejects(enter(), { code: 'PB_ERR_UPGRADE_FULL' })
    const [first] = all
    assert.equal(app.app.perspective.sessions.disconnect(first!.user.id), 0, 'Django has none')
    assert.equal(app.app.perspective.sessions.disconnect(first!.user.id, 'x', 'anonymous'), 1)
    assert.equal((await first!.ended).code, 4440)
    for (const session of all) await session.logout()
  })

  test('is nobody of Django’s: a ticket of the one is none of the other', async () => {
    await until(() => app.slots() === 0, 'an empty house')
    const { body } = await postLogin(app, anonymous)
    const { ticket, user } = JSON.parse(body) as { ticket: string; user: { id: string } }
    const claims = JSON.parse(
      Buffer.from(ticket.split('.')[1] ?? '', 'base64url').toString(),
    ) as Record<string, unknown>
    assert.deepEqual([claims['chk'], claims['sub']], ['anonymous', user.id])
    const { status, socket } = await upgrade(app, ticket)
    assert.equal(status, 101)
    socket.destroy()
  })

  test('takes no other field, and is off until asked for', async () => {
    for (const body of [
      { ...anonymous, username: '' },
      { ...anonymous, id: '6' },
    ]) {
      assert.equal((await postLogin(app, body)).status, 400)
    }
    const closed = await startApp(optionsFor(pool))
    assert.equal((await postLogin(closed, anonymous)).status, 400)
    assert.ok(await ticketOf(closed, 1))
  })

  test('counts as a login of its address', async () => {
    const rateLimits = { ...WIDE, addressPerMinute: 2 }
    const limited = await startApp(optionsFor(pool, { anonymous: true, rateLimits }))
    const statuses = []
    for (let n = 0; n < 3; n++) statuses.push((await postLogin(limited, anonymous)).status)
    assert.deepEqual(statuses, [200, 200, 429])
  })
})
