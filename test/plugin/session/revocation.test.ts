// Who no longer belongs here does not stay: what Django's rows say ends open sessions, and nobody else's.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { bindingDigest } from 'fastify-perspective'
import { Beat } from '../../../dist/plugin/session/beat.js'
import type { SessionRegistry } from '../../../dist/plugin/session/sessions.js'
import { startDjango } from '../django/start-django.js'
import {
  type RawSession,
  type TestApp,
  TestAvatar,
  assertAlive,
  closeAll,
  events,
  openRaw,
  openSession,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
  upgrade,
} from '../start-app.js'

const { pool } = await startDjango()
await pool.query('ALTER TABLE auth_user ALTER COLUMN is_active DROP NOT NULL')
const app = await startApp(
  optionsFor(pool, { sessions: { revalidateSeconds: 0.2, perUser: 2000 }, callTimeoutMs: 1000 }),
)
const { sessions } = app.app.perspective

beforeEach(() => {
  events.length = 0
})
afterEach(() => until(() => app.slots() === 0, 'every slot'))

/** A copy of a user, so that each test may ruin its own. */
async function copyUser(n: number): Promise<number> {
  await pool.query('DELETE FROM auth_user WHERE id = $1', [n])
  await pool.query(
    `INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
     SELECT $1::int, password, false, 'fast' || $1::text, '', '', '', false, true, now() FROM auth_user WHERE username = 'fast1'`,
    [n],
  )
  return n
}

async function openCopy(n: number, by: TestApp = app): Promise<RawSession> {
  const credentials = { username: `fast${String(n)}`, password: 'fast password 1' }
  const { body } = await postLogin(by, credentials)
  const session = await openRaw(by, (JSON.parse(body) as { ticket: string }).ticket)
  await session.frame('username')
  return session
}

/** Looks of the beat that have ended, whether they could ask or not. */
let looks = 0
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a beat as `this`
const { look } = Beat.prototype
mock.method(Beat.prototype, 'look', async function (this: Beat, userKeys?: readonly string[]) {
  await look.call(this, userKeys)
  looks += 1
})

/** Until so many looks have ended since; with two, one has also begun since. */
async function beats(count = 2): Promise<void> {
  const end = looks + count
  await until(() => looks >= end, 'the beat')
}

describe('a user who no longer belongs here (door case 48)', () => {
  for (const [what, sql, reason] of [
    ['deactivated', 'UPDATE auth_user SET is_active = false WHERE id = $1', 'deactivated'],
    ['of unknown activity', 'UPDATE auth_user SET is_active = NULL WHERE id = $1', 'deactivated'],
    ['deleted', 'DELETE FROM auth_user WHERE id = $1', 'deleted'],
    [
      'with another password',
      "UPDATE auth_user SET password = 'pbkdf2_sha256$1$x$y' WHERE id = $1",
      'credentials-changed',
    ],
  ] as const) {
    test(`${what}: every session ends with 4401 ${reason}, others stay`, async () => {
      const id = await copyUser(100)
      const all = [await openCopy(id), await openCopy(id)]
      const other = await openSession(app, 2)
      await pool.query(sql, [id])
      for (const { closed } of all) assert.deepEqual(await closed, { code: 4401, reason })
      await assertAlive(other)
      assert.deepEqual(
        events.filter((event) => event !== 'attached'),
        ['detached revoked', 'detached revoked'],
      )
      assert.deepEqual(sessions.of(id), [])
      await closeAll([other])
    })
  }

  test('between the read of the user and attached: never open', async () => {
    let go = (): void => undefined
    const slow = await startApp(
      optionsFor(pool, {
        sessions: { revalidateSeconds: 0.1 },
        realm: (session) => new Promise((resolve) => (go = () => resolve(new TestAvatar(session)))),
      }),
    )
    const session = await openRaw(slow, await ticketOf(slow, 3))
    await pool.query('UPDATE auth_user SET is_active = false WHERE id = 8')
    assert.deepEqual(await session.closed, { code: 4401, reason: 'deactivated' })
    go()
    await until(() => events.length > 0, 'detached')
    assert.deepEqual(events, ['detached revoked'])
    await pool.query('UPDATE auth_user SET is_active = true WHERE id = 8')
  })

  test('what changes nothing of that ends nothing: last_login, e-mail, groups', async () => {
    const session = await openSession(app, 1)
    await pool.query(
      "UPDATE auth_user SET last_login = now(), email = 'a@b.example', is_staff = true WHERE id = 6",
    )
    await beats()
    await assertAlive(session)
    await closeAll([session])
  })

  test('one query for each beat, however many sessions', { timeout: 120_000 }, async (t) => {
    const all: RawSession[] = []
    for (let n = 0; n < 10; n++)
      all.push(...(await Promise.all([1, 2, 3].map((m) => openSession(app, m)))))
    const query = t.mock.method(pool, 'query')
    const from = looks
    await beats(4)
    const queries = query.mock.callCount()
    // One look may be under way at either end.
    assert.ok(Math.abs(queries - (looks - from)) <= 1, `${String(queries)} queries`)
    for (const { arguments: args } of query.mock.calls) {
      const [text, values] = args as unknown as [string, unknown[]]
      assert.match(text, /= ANY\(\$1\)/)
      assert.deepEqual(String(values[0]).match(/\d+/g)?.sort(), ['6', '7', '8'])
    }
    await closeAll(all)
  })

  test('more than 20 who are gone at one stroke: asked once more first', async () => {
    const ids = await Promise.all(Array.from({ length: 21 }, (_, n) => copyUser(200 + n)))
    const all = await Promise.all(ids.map((id) => openCopy(id)))
    app.logs.length = 0
    await pool.query('ALTER TABLE auth_user RENAME TO the_users')
    await pool.query('CREATE TABLE auth_user (LIKE the_users)')
    await until(() => app.logs.some((line) => line.includes('none of its users')), 'the warning')
    await pool.query('DROP TABLE auth_user')
    await pool.query('ALTER TABLE the_users RENAME TO auth_user')
    const mark = app.logs.length
    await beats()
    assert.ok(!app.logs.slice(mark).some((line) => line.includes('session ended')))
    assert.equal(sessions.count, 21)
    await pool.query('DELETE FROM auth_user WHERE id >= 200')
    for (const { closed } of all) assert.deepEqual(await closed, { code: 4401, reason: 'deleted' })
  })
})

describe('a password hash that is written anew (door case 53)', () => {
  test('by us: the sessions that were admitted with the old one stay; by Django: 4401', async () => {
    const id = await copyUser(300)
    const session = await openCopy(id)
    const { rows } = await pool.query<{ password: string }>(
      'SELECT password FROM auth_user WHERE id = $1',
      [id],
    )
    const old = rows[0]?.password ?? ''
    const registry = sessions as unknown as SessionRegistry
    registry.rebind(`django:${String(id)}`, bindingDigest(old), bindingDigest('new'))
    await pool.query("UPDATE auth_user SET password = 'new' WHERE id = $1", [id])
    await beats()
    await assertAlive(session)
    // Of another hash than the session's: nothing is bound anew.
    registry.rebind(`django:${String(id)}`, bindingDigest(old), bindingDigest('newer'))
    await pool.query("UPDATE auth_user SET password = 'newer' WHERE id = $1", [id])
    assert.deepEqual(await session.closed, { code: 4401, reason: 'credentials-changed' })
  })
})

describe('what a session may do (door case 54)', () => {
  test('a group taken away: refused on the open session', async () => {
    await pool.query('INSERT INTO auth_user_groups (user_id, group_id) VALUES (6, 1)')
    const session = await openSession(app, 1)
    session.socket.send('[[1,1,0,"guarded",[]]]')
    await session.frame('"granted"]')
    await pool.query('DELETE FROM auth_user_groups WHERE user_id = 6')
    await beats()
    session.socket.send('[[1,2,0,"guarded",[]]]')
    await session.frame('PB_ERR_CALL_DENIED')
    await closeAll([session])
  })
})

describe('the age of a session (door case 55)', () => {
  test('30 days: nobody is closed; 1 s: 4410, and not before', async () => {
    const long = await startApp(optionsFor(pool, { sessions: { maxAgeSeconds: 30 * 86_400 } }))
    const short = await startApp(
      optionsFor(pool, { sessions: { maxAgeSeconds: 1, heartbeatSeconds: 1 } }),
    )
    const stays = await openSession(long, 1)
    const ends = await openSession(short, 1)
    assert.equal(short.app.perspective.sessions.count, 1)
    assert.deepEqual(await ends.closed, { code: 4410, reason: 'max-age' })
    assert.ok(events.includes('detached expired'))
    await assertAlive(stays)
    await closeAll([stays])
  })
})

describe('disconnect (door case 50)', () => {
  test('a number is its text; the ticket that is out dies, a later one lives; others stay', async () => {
    for (const id of [6, '6', 6n]) {
      const [session, other] = [await openSession(app, 1), await openSession(app, 2)]
      const ticket = await ticketOf(app, 1)
      assert.equal(sessions.disconnect(id, 'banned'), 1)
      assert.deepEqual(await session.closed, { code: 4440, reason: 'banned' })
      assert.equal((await upgrade(app, ticket)).status, 401)
      await assertAlive(other)
      await closeAll([other, await openSession(app, 1)])
    }
  })

  test('no user at all is a TypeError, not nobody', () => {
    assert.throws(() => sessions.disconnect(undefined as unknown as string), {
      name: 'TypeError',
      message: 'userId: expected user.id, got undefined',
    })
  })
})
