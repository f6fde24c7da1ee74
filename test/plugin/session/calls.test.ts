// What a page may send and may call: hostile frames end one session, Django's permissions guard single calls.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { AvatarSession, Realm } from 'fastify-perspective'
import { startDjango } from '../django/start-django.js'
import {
  TestAvatar,
  TestRealm,
  closeAll,
  events,
  openRaw,
  openSession,
  optionsFor,
  startApp,
  ticketOf,
  until,
} from '../start-app.js'

const { pool } = await startDjango()
let realm: Realm = TestRealm
const app = await startApp(optionsFor(pool, { realm: (session) => realm(session) }))
const { sessions } = app.app.perspective

beforeEach(() => {
  realm = TestRealm
  events.length = 0
})
afterEach(() => until(() => app.slots() === 0 && sessions.count === 0, 'every slot'))

describe('a hostile page', () => {
  for (const [name, frame] of [
    ['no JSON', 'hello'],
    ['no array', '{}'],
    ['a number', '5'],
    ['an unknown message', '[[99]]'],
    ['a second hello', '[[0,0]]'],
    ['an answer to nothing', '[[3,7,1]]'],
    ['bytes', Buffer.from([1, 2, 3])],
  ] as const) {
    test(`${name}: 4400, detached with protocol, and others do not notice`, async () => {
      const [bad, good] = [await openSession(app, 1), await openSession(app, 2)]
      bad.socket.send(frame)
      const { code, reason } = await bad.closed
      assert.equal(code, 4400)
      assert.match(reason, /^PB_ERR_WIRE_PROTOCOL/)
      await until(() => events.includes('detached protocol'), 'detached')
      good.socket.send('[[1,1,0,"whoAmI",[]]]')
      await good.frame('"fast2"]')
      await closeAll([good])
    })
  }

  test('names that are no methods: an error answer each, and the session lives', async () => {
    const session = await openSession(app, 1)
    const names = [
      ...['constructor', '__proto__', 'toString', 'hasOwnProperty', 'attached', 'detached'],
      ...['session', 'user', 'mind', 'then', 'prototype', '', 'remote'],
    ]
    session.socket.send(JSON.stringify(names.map((name, index) => [1, index + 1, 0, name, []])))
    await until(
      () => session.frames.join().split('PB_ERR_CALL_UNKNOWN_METHOD').length > names.length,
      'all',
    )
    session.socket.send(`[[1,99,0,"fail",[]]]`)
    const answer = await session.frame('PB_ERR_CALL_FAILED')
    assert.doesNotMatch(answer, /SELECT|secret|\.ts/)
    assert.ok(app.logs.some((line) => line.includes('SELECT secret FROM somewhere')))
    await closeAll([session])
  })

  test('a frame over the limit: 1009 or 4400, detached (T71)', async () => {
    const session = await openSession(app, 1)
    session.socket.send('x'.repeat(1_100_000))
    assert.ok([1009, 4400].includes((await session.closed).code))
    await until(() => events.includes('detached protocol'), 'detached')
  })

  test('calls before the avatar is there wait, and too many are refused', async () => {
    let go: (() => void) | undefined
    realm = (made: AvatarSession) =>
      new Promise((resolve) => (go = () => resolve(new TestAvatar(made))))
    const calls = Array.from({ length: 70 }, (_, index) => [1, index + 1, 0, 'whoAmI', []])
    const session = await openRaw(app, await ticketOf(app, 1), JSON.stringify([[0, 0], ...calls]))
    await session.frame('PB_ERR_LIMIT_PENDING_CALLS')
    await until(() => go !== undefined, 'the realm')
    go?.()
    await session.frame('"fast1"]')
    assert.equal(session.frames.join().split('"fast1"]').length - 1, 64)
    await closeAll([session])
  })
})

describe('permissions of Django', () => {
  test('hasPerm and requires: of the group, of the superuser, of nobody else', async () => {
    const plain = await openSession(app, 1)
    const [session] = sessions.of(6)
    assert.equal(await session?.hasPerm('chat.delete_line'), false)
    plain.socket.send('[[1,1,0,"guarded",[]]]')
    await plain.frame('PB_ERR_CALL_DENIED')
    await closeAll([plain])

    await pool.query('INSERT INTO auth_user_groups (user_id, group_id) VALUES (7, 1)')
    const member = await openSession(app, 2)
    member.socket.send('[[1,1,0,"guarded",[]]]')
    await member.frame('"granted"]')
    const [membership] = sessions.of(7)
    assert.equal(await membership?.hasPerm('chat.add_line'), false)
    await pool.query('DELETE FROM auth_user_groups WHERE user_id = 7')
    await closeAll([member])
  })

  test('the database away: the call fails, the session lives, and the next try asks again', async (t) => {
    const session = await openSession(app, 3)
    const mock = t.mock.method(pool, 'query', () => Promise.reject(new Error('away')))
    session.socket.send('[[1,1,0,"guarded",[]]]')
    await session.frame('PB_ERR_CALL_')
    mock.mock.restore()
    session.socket.send('[[1,2,0,"guarded",[]]]')
    await session.frame('PB_ERR_CALL_DENIED')
    await closeAll([session])
  })
})
