import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { authenticateSession, DjangoSessions, DjangoUsers } from 'fastify-perspective/django'
import {
  addLogin,
  addSession,
  BACKEND,
  FORMER_KEY,
  loggedIn,
  SECRET_KEY,
  signCookie,
  signSession,
  snapshot,
} from './django-session.js'
import { startDjango } from './start-django.js'

const { url, pool } = await startDjango()
const users = new DjangoUsers(pool)
const sessions = new DjangoSessions(pool, { secretKeys: [SECRET_KEY] })
const nameOf = async (
  key: string,
  store = sessions,
  options?: Parameters<typeof authenticateSession>[3],
): Promise<string | null> =>
  (await authenticateSession(users, store, key, options))?.user.username ?? null

describe('DjangoSessions', () => {
  test('reads a session, and none that has expired (case 64)', async () => {
    const good = await addSession(pool, signSession({ a: 1 }))
    assert.deepEqual(await sessions.read(good), { a: 1 })
    assert.deepEqual(await sessions.read(await addSession(pool, signSession({}))), {})
    // Later than the row's time by no more than it takes to ask.
    assert.equal(await sessions.read(await addSession(pool, signSession({}), '0')), null)
    assert.equal(await sessions.read('0'.repeat(32)), null)
    assert.equal(await sessions.read(good.toUpperCase()), null)
    assert.equal(await sessions.read(await addSession(pool, signSession({}, FORMER_KEY))), null)
    for (const data of ['', 'e30:x', signCookie({ a: 1 })]) {
      assert.equal(await sessions.read(await addSession(pool, data)), null, data)
    }
  })

  test('asks nothing for what cannot be a key (case 74)', async (t) => {
    const query = t.mock.method(pool, 'query')
    const none = ['', '1234567', 'x'.repeat(41), 'x'.repeat(20_000), 'abcdefgh\0', 'abcdefgh\ud800']
    for (const key of [...none, null, 5, {}, ['abcdefgh']] as string[]) {
      assert.equal(await sessions.read(key), null, inspect(key))
    }
    assert.deepEqual(await sessions.alive([...none, 5 as unknown as string]), new Set())
    assert.deepEqual(await sessions.alive([]), new Set())
    assert.equal(query.mock.callCount(), 0)
  })

  test('tells in one query which sessions are still there', async (t) => {
    const [one, two] = [await addLogin(pool, 'fast1'), await addLogin(pool, 'fast2')]
    const gone = await addLogin(pool, 'fast3')
    await pool.query('DELETE FROM django_session WHERE session_key = $1', [gone])
    const expired = await addSession(pool, signSession({}), '-1 second')
    const unknown = Array.from({ length: 6000 }, (_, n) => `unknown${String(n)}`)
    const query = t.mock.method(pool, 'query')
    const alive = await sessions.alive([one, gone, expired, ...unknown, two, two])
    assert.deepEqual([...alive].sort(), [one, two].sort())
    assert.equal(query.mock.callCount(), 1)
  })

  test('opens a connection string, and another table', async () => {
    await pool.query('CREATE SCHEMA site; CREATE TABLE site.sessions (LIKE django_session)')
    const data = signSession({ a: 1 })
    await pool.query(`INSERT INTO site.sessions VALUES ('elsewhere', $1, 'infinity')`, [data])
    const options = { secretKeys: [SECRET_KEY], table: 'site.sessions' }
    const own = new DjangoSessions(url, options)
    after(() => own.close())
    assert.deepEqual(await own.read('elsewhere'), { a: 1 })
    assert.deepEqual(await own.alive(['elsewhere', 'nowhere.']), new Set(['elsewhere']))
    assert.equal(await sessions.read('elsewhere'), null)
    const none = new DjangoSessions(pool, { ...options, table: 'no_table' })
    await assert.rejects(none.read('elsewhere'), { code: 'PB_ERR_DB_UNAVAILABLE' })
    await assert.rejects(none.alive(['elsewhere']), { code: 'PB_ERR_DB_UNAVAILABLE' })
  })

  test('takes the cookie of signed_cookies for the session, as long as it is young (case 69)', async (t) => {
    const query = t.mock.method(pool, 'query')
    const options = { secretKeys: [SECRET_KEY], engine: 'signed_cookies' } as const
    const store = new DjangoSessions(pool, options)
    const now = Math.floor(Date.now() / 1000)
    assert.deepEqual(await store.read(signCookie({ a: 1 })), { a: 1 })
    assert.deepEqual(await store.read(signCookie({ a: 1 }, now - 1_209_500)), { a: 1 })
    assert.equal(await store.read(signCookie({ a: 1 }, now - 1_209_602)), null)
    const short = new DjangoSessions(pool, { ...options, maxAgeSeconds: 60 })
    assert.equal(await short.read(signCookie({ a: 1 }, now - 62)), null)
    assert.equal(await store.read(signSession({ a: 1 })), null, 'a row is no cookie (case 70)')
    assert.equal(await store.read(signCookie({ a: 'x'.repeat(4096) })), null)
    for (const none of [null, 5, {}, ''] as string[]) assert.equal(await store.read(none), null)
    assert.deepEqual(await store.alive(['any', 'two']), new Set(['any', 'two']))
    assert.equal(query.mock.callCount(), 0)
  })

  test('refuses options that are none, and shows no key', () => {
    const wrong: [object, RegExp][] = [
      [{}, /secretKeys: expected a list .* got undefined/],
      [{ secretKeys: SECRET_KEY }, /secretKeys: .* got string/],
      [{ secretKeys: [] }, /secretKeys: .* got an array/],
      [{ secretKeys: [SECRET_KEY, ''] }, /secretKeys\[1\]: .* got an empty string/],
      [
        { secretKeys: ['process.env.SECRET_KEY'] },
        /\[0\]: expected the value of a v.*got its name/,
      ],
      [{ secretKeys: [new Uint8Array()] }, /secretKeys\[0\]: .* got object/],
      [{ secretKeys: [SECRET_KEY], engine: 'cache' }, /engine: expected one of db, cached_db, sig/],
      [{ secretKeys: [SECRET_KEY], table: 'a.b.c' }, /table: expected "table" or "schema\.table"/],
      [{ secretKeys: [SECRET_KEY], maxAgeSeconds: 5 }, /maxAgeSeconds: expected none: with db/],
      [{ secretKeys: [SECRET_KEY], engine: 'signed_cookies', table: 'x' }, /table: expected none/],
      [{ secretKeys: [SECRET_KEY], engine: 'signed_cookies', maxAgeSeconds: 0 }, /got 0/],
      [{ secretKeys: [SECRET_KEY], engine: 'signed_cookies', maxAgeSeconds: '5' }, /got string/],
    ]
    for (const [options, message] of wrong) {
      assert.throws(
        () => new DjangoSessions(pool, options as never),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'PB_ERR_OPT_INVALID')
          assert.match(error.message, message)
          return !inspect(error, { depth: 9, showHidden: true }).includes(SECRET_KEY)
        },
        String(message),
      )
    }
  })
})

describe('authenticateSession', () => {
  test('finds whom Django has logged in', async () => {
    assert.equal(await nameOf(await addLogin(pool, 'fast1')), 'fast1')
  })

  test('finds nobody where Django would not (case 72)', async () => {
    const good = await loggedIn(pool, 'fast1')
    const inactive = await loggedIn(pool, 'mallory')
    const changes: Record<string, unknown>[] = [
      ...[undefined, '', 'wrong', null, 5, true].map((_auth_user_hash) => ({ _auth_user_hash })),
      ...[undefined, '', 'gone.Backend', null, [BACKEND]].map((_auth_user_backend) => ({
        _auth_user_backend,
      })),
      ...[undefined, '', '999', '1; drop', ' 6', '06', '6\0', 6, null, '99999999999999999999'].map(
        (_auth_user_id) => ({ _auth_user_id }),
      ),
      { _auth_user_id: '7' },
      inactive,
    ]
    for (const change of changes) {
      const key = await addSession(pool, signSession({ ...good, ...change }))
      assert.equal(await nameOf(key), null, inspect(change))
    }
    assert.equal(await nameOf(await addSession(pool, signSession({}))), null)
    const proto = JSON.stringify(good).replace('{', '{"__proto__":{"_auth_user_id":"1"},')
    assert.equal(await nameOf(await addSession(pool, signSession(proto))), 'fast1', '(case 75)')
  })

  test('goes by the list of backends, and says which one it lacks', async () => {
    const session = { ...(await loggedIn(pool, 'fast1')), _auth_user_backend: 'site.Backend' }
    const key = await addSession(pool, signSession(session))
    const heard: string[] = []
    const warn = (text: string): void => void heard.push(text)
    assert.equal(await nameOf(key, sessions, { warn }), null)
    assert.deepEqual(heard, [
      'a session was refused: its backend "site.Backend" is not in backends',
    ])
    assert.equal(
      await nameOf(key, sessions, { backends: [BACKEND, 'site.Backend'], warn }),
      'fast1',
    )
  })

  test('takes signature and hash of a fallback key, and writes nothing (case 66, 73)', async () => {
    const old = signSession(await loggedIn(pool, 'fast1', FORMER_KEY), FORMER_KEY)
    const key = await addSession(pool, old)
    const wrong = { ...(await loggedIn(pool, 'fast1')), _auth_user_hash: 'wrong' }
    const broken = await addSession(pool, signSession(wrong))
    const before = await snapshot(pool)
    const keys = [SECRET_KEY, 'another', FORMER_KEY]
    const rotated = new DjangoSessions(pool, { secretKeys: keys })
    assert.equal(await nameOf(key, rotated), 'fast1')
    assert.equal(await nameOf(key), null)
    assert.equal(await nameOf(broken, rotated), null)
    assert.deepEqual(await snapshot(pool), before)
  })
})
