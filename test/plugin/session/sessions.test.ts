// app.perspective.sessions: who is here, who is thrown out, how many there may be.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { Realm } from 'fastify-perspective'
import { startDjango } from '../django/start-django.js'
import { holdQueries } from '../hold-queries.js'
import {
  TestAvatar,
  TestRealm,
  closeAll,
  events,
  openRaw,
  openSession,
  openWire,
  optionsFor,
  startApp,
  ticketOf,
  until,
  upgrade,
  upgradeText,
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

describe('app.perspective.sessions', () => {
  test('counts, lists and finds: a number, a text and a bigint are one id (door case 50)', async () => {
    const all = [await openSession(app, 1), await openSession(app, 1), await openSession(app, 2)]
    assert.equal(sessions.count, 3)
    assert.deepEqual(Array.from(sessions, ({ user }) => user.username).sort(), [
      'fast1',
      'fast1',
      'fast2',
    ])
    for (const id of [6, '6', 6n]) assert.equal(sessions.of(id).length, 2)
    const [one] = sessions.of(7)
    assert.ok(one)
    assert.equal(one.userKey, 'django:7')
    assert.ok(one.avatar instanceof TestAvatar)
    assert.ok(Object.isFrozen(one.user))
    assert.equal(one.hasMind, false)
    assert.equal(one.signal.aborted, false)
    assert.equal(one.request.ip, '127.0.0.1')
    assert.doesNotMatch(JSON.stringify(one.request), /ticket|eyJ/)
    for (const id of ['06', ' 6', '', 'django:6', 8]) assert.deepEqual(sessions.of(id), [])
    assert.deepEqual(sessions.of(6, 'other'), [])
    await closeAll(all)
    await until(() => sessions.count === 0, 'all')
    assert.equal(one.signal.aborted, true)
    assert.deepEqual([...sessions], [])
  })

  test('an admission under way is not counted', async () => {
    let go: (() => void) | undefined
    realm = (session) => new Promise((resolve) => (go = () => resolve(new TestAvatar(session))))
    const session = await openRaw(app, await ticketOf(app, 1))
    await until(() => go !== undefined, 'the realm')
    assert.deepEqual([sessions.count, [...sessions], sessions.of(6)], [0, [], []])
    go?.()
    await session.frame('username')
    assert.equal(sessions.count, 1)
    await closeAll([session])
  })

  for (const id of [6, '6']) {
    test(`disconnect(${JSON.stringify(id)}): sockets and tickets die, others live, relogin works at once (door case 50)`, async () => {
      const [one, other, neighbour] = [
        await openSession(app, 1),
        await openSession(app, 1),
        await openSession(app, 2),
      ]
      const ticket = await ticketOf(app, 1)
      assert.equal(sessions.disconnect(id, 'banned'), 2)
      assert.equal(sessions.count, 1)
      assert.equal((await upgrade(app, ticket)).status, 401)
      const again = await openSession(app, 1)
      for (const { closed } of [one, other]) {
        assert.deepEqual(await closed, { code: 4440, reason: 'banned' })
      }
      assert.deepEqual(
        events.filter((event) => event !== 'attached'),
        ['detached kicked', 'detached kicked'],
      )
      neighbour.socket.send('[[1,1,0,"whoAmI",[]]]')
      await neighbour.frame('"fast2"]')
      assert.equal(sessions.disconnect(99), 0)
      await closeAll([again, neighbour])
    })
  }

  test('a kicked peer that goes on calling is heard no more (door hole 3)', async () => {
    const session = await openSession(app, 1)
    const calls: unknown[] = []
    const avatar = sessions.of(6)[0]?.avatar as TestAvatar
    avatar.echo = (value) => calls.push(value)
    session.socket.send('[[1,1,0,"echo",[1]]]')
    await until(() => calls.length === 1, 'the first')
    sessions.disconnect(6)
    session.socket.send('[[1,2,0,"echo",[2]]]')
    await session.closed
    assert.deepEqual(calls, [1])
  })

  test('disconnect during the database, the realm or attached: never open (door hole 6)', async (t) => {
    const ticket = await ticketOf(app, 1)
    const query = holdQueries(t, pool)
    const wire = await openWire(app, upgradeText(ticket))
    await until(() => query.waiting() === 1, 'the query')
    assert.equal(sessions.disconnect(6), 0)
    query.go()
    assert.ok(await wire.ended())
    assert.match(wire.text(), /^HTTP\/1\.1 401 /)
    wire.socket.destroy()

    let go: (() => void) | undefined
    const wait = (): Promise<void> => new Promise((resolve) => (go = resolve))
    realm = (session) => wait().then(() => new TestAvatar(session))
    let session = await openRaw(app, await ticketOf(app, 1))
    await until(() => go !== undefined, 'the realm')
    assert.equal(sessions.disconnect(6), 0)
    assert.equal((await session.closed).code, 4440)
    go?.()
    await until(() => events.length > 0, 'detached')
    assert.deepEqual(events, ['detached kicked'])

    realm = (made) =>
      new (class extends TestAvatar {
        override attached(): Promise<void> {
          events.push('attached')
          return wait()
        }
      })(made)
    session = await openRaw(app, await ticketOf(app, 1))
    await until(() => events.length === 2, 'attached')
    assert.equal(sessions.disconnect(6), 0)
    assert.equal((await session.closed).code, 4440)
    go?.()
    assert.deepEqual(events, ['detached kicked', 'attached', 'detached kicked'])
  })

  test('disconnect inside a loop over the sessions, and by a listener of the end', async () => {
    const all = [await openSession(app, 1), await openSession(app, 1), await openSession(app, 2)]
    realm = TestRealm
    for (const { user, signal } of sessions) {
      signal.addEventListener('abort', () => sessions.disconnect(user.id))
      sessions.disconnect(user.id)
    }
    assert.equal(sessions.count, 0)
    await Promise.all(all.map(({ closed }) => closed))
    assert.equal(events.filter((event) => event === 'detached kicked').length, 3)
  })
})
