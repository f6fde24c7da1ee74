// What can be seen from outside: counts, channels, logs; and that no secret is among it.
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type {
  AdmissionMessage,
  CallMessage,
  DetachMessage,
  LoginMessage,
} from 'fastify-perspective'
import { startDjango } from './django/start-django.js'
import {
  SECRET,
  openRaw,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
  upgrade,
} from './start-app.js'

const { pool, url } = await startDjango()
const app = await startApp(optionsFor(url, { sessions: { revalidateSeconds: 0.2, listen: true } }))
const { perspective } = app.app

const heard: [string, unknown][] = []
const listeners = ['login', 'admission', 'call', 'detach'].map((name) => ({
  channel: `fastify-perspective:${name}`,
  listener: (message: unknown): void => void heard.push([name, message]),
}))

beforeEach(() => {
  heard.length = 0
  for (const { channel, listener } of listeners) subscribe(channel, listener)
})
afterEach(async () => {
  await until(() => app.slots() === 0, 'every slot')
  for (const { channel, listener } of listeners) unsubscribe(channel, listener)
})

const messages = <T>(name: string): T[] =>
  heard.filter(([channel]) => channel === name).map(([, message]) => message as T)

describe('channels', () => {
  test('a life: login, admission, calls of every end, detach', async () => {
    const session = await openRaw(app, await ticketOf(app, 1))
    await session.frame('username')
    session.socket.send(
      '[[1,1,0,"whoAmI",[]],[1,2,0,"fail",[]],[1,3,0,"guarded",[]],[1,4,0,"nowhere",[]],[2,0,"fail",[]]]',
    )
    await until(() => messages('call').length === 5, 'the calls')
    session.socket.close(1000)
    await until(() => messages('detach').length === 1, 'the end')
    const [login] = messages<LoginMessage>('login')
    assert.ok(login?.requestId)
    assert.deepEqual(
      { ...login, requestId: '' },
      { route: 'login', code: null, userKey: 'django:6', requestId: '', ip: '127.0.0.1' },
    )
    const [admission] = messages<AdmissionMessage>('admission')
    assert.equal(admission?.code, null)
    assert.equal(admission.userKey, 'django:6')
    const calls = messages<CallMessage>('call')
    assert.ok(calls.every(({ sessionId }) => sessionId === admission.sessionId))
    assert.ok(calls.every(({ durationMs }) => durationMs >= 0))
    assert.ok(calls.every(({ startedAt }) => Math.abs(startedAt - Date.now()) < 60_000))
    assert.deepEqual(calls.map(({ method, code }) => `${method} ${String(code)}`).sort(), [
      'fail PB_ERR_CALL_FAILED',
      'fail PB_ERR_CALL_FAILED',
      'guarded PB_ERR_CALL_DENIED',
      'nowhere PB_ERR_CALL_UNKNOWN_METHOD',
      'whoAmI null',
    ])
    const [detach] = messages<DetachMessage>('detach')
    assert.equal(detach?.reason.code, 'logout')
    assert.equal(detach.sessionId, admission.sessionId)
    assert.equal(detach.requestId, admission.requestId)
    assert.ok(detach.ageMs > 0)
    assert.equal(heard.length, 8)
  })

  test('refusals: with their code, and of whom only the address', async () => {
    await postLogin(app, { username: 'fast1', password: 'wrong' })
    await postLogin(app, 'no json')
    await upgrade(app, 'a.b.c')
    await until(() => heard.length === 3, 'three')
    assert.deepEqual(
      heard.map(([name, message]) => [name, (message as LoginMessage).code]),
      [
        ['login', 'PB_ERR_LOGIN_REJECTED'],
        ['login', 'PB_ERR_LOGIN_SHAPE'],
        ['admission', 'PB_ERR_TICKET_INVALID'],
      ],
    )
    assert.ok(heard.every(([, message]) => (message as LoginMessage).userKey === null))
  })

  test('a subscriber that throws harms nobody', async () => {
    const thrower = (): never => {
      throw new Error('mine')
    }
    const thrown: unknown[] = []
    const note = (error: unknown): void => void thrown.push(error)
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', note)
    for (const { channel } of listeners) subscribe(channel, thrower)
    const session = await openRaw(app, await ticketOf(app, 1))
    await session.frame('username')
    session.socket.send('[[1,1,0,"whoAmI",[]]]')
    await session.frame('"fast1"]')
    session.socket.close(1000)
    await until(() => thrown.length === 4, 'what it threw')
    for (const { channel } of listeners) unsubscribe(channel, thrower)
    process.off('uncaughtException', note)
    for (const listener of others) process.on('uncaughtException', listener)
  })
})

describe('app.perspective.stats()', () => {
  test('is frozen, counts what is there and what was', async () => {
    const before = perspective.stats()
    assert.ok(Object.isFrozen(before) && Object.isFrozen(before.logins))
    assert.ok(Object.isFrozen(before.refusals))
    const session = await openRaw(app, await ticketOf(app, 2))
    await session.frame('username')
    await postLogin(app, { username: 'fast1', password: 'wrong' })
    const { sessions, admissions, calls, logins, refusals, authorityAge } = perspective.stats()
    assert.deepEqual({ sessions, admissions, calls }, { sessions: 1, admissions: 0, calls: 0 })
    assert.equal(logins.ok, before.logins.ok + 1)
    assert.equal(logins.refused, before.logins.refused + 1)
    assert.equal(
      refusals['PB_ERR_LOGIN_REJECTED'],
      (before.refusals['PB_ERR_LOGIN_REJECTED'] ?? 0) + 1,
    )
    assert.ok(authorityAge >= 0 && authorityAge < 10)
    session.socket.close(1000)
    await until(() => app.slots() === 0, 'the slot')
    assert.equal(perspective.stats().authorityAge, 0)
  })
})

test('no secret in what is logged and told of a whole run, at trace', async () => {
  const { rows } = await pool.query<{ password: string }>(
    "SELECT password FROM auth_user WHERE username LIKE 'fast%'",
  )
  const secrets = [SECRET, new URL(url).password]
  for (const { password } of rows) secrets.push(password, password.split('$').at(-1) ?? '')
  for (const n of [1, 2, 3]) {
    secrets.push(`fast password ${String(n)}`)
    const ticket = await ticketOf(app, n)
    secrets.push(ticket, ticket.split('.').at(-1) ?? '', ticket.split('.')[1] ?? '')
    const session = await openRaw(app, ticket)
    await session.frame('username')
    session.socket.send('[[1,1,0,"fail",[]],[2,0,"fail",["hunter2"]]]')
    await session.frame('PB_ERR_CALL_FAILED')
    assert.equal((await upgrade(app, ticket)).status, 401)
    if (n === 1) perspective.sessions.disconnect(6, 'banned')
    if (n === 2) await pool.query("UPDATE auth_user SET password = 'gone$hunter3' WHERE id = 7")
    if (n === 3) session.socket.send('nonsense hunter4')
    await session.closed
  }
  await postLogin(app, { username: 'fast1', password: 'hunter5' })
  await postLogin(app, '{"username":"fast1","password":"hunter6"')
  await pool.query('ALTER TABLE auth_user RENAME COLUMN password TO pass')
  await postLogin(app, { username: 'fast1', password: 'hunter7' })
  await pool.query('ALTER TABLE auth_user RENAME COLUMN pass TO password')
  const text = app.logs.join('') + JSON.stringify(heard)
  assert.ok(app.logs.length > 20)
  for (const secret of secrets) {
    assert.ok(secret.length >= 8)
    assert.ok(!text.includes(secret), 'a secret is in a log')
  }
  assert.doesNotMatch(text, /hunter[2-7]|eyJ|SELECT id|FROM "auth_user"/)
})
