// LISTEN/NOTIFY: the trigger that is shipped ends sessions at once; a notification alone ends nothing.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, describe, test } from 'node:test'
import pgPromise from 'pg-promise'
import { type PerspectiveOptions } from 'fastify-perspective'
import { startDjango } from '../django/start-django.js'
import {
  type TestApp,
  assertAlive,
  openSession,
  optionsFor,
  startApp,
  until,
} from '../start-app.js'

const { pool, url } = await startDjango()
const trigger = await readFile(
  new URL('../../../docs/revocation-trigger.sql', import.meta.url),
  'utf8',
)
// Twice: it can be run again.
await pool.query(trigger)
await pool.query(trigger)

const CHANNEL = 'fastify_perspective_revocation'
const LISTENING = `LISTEN ${CHANNEL}`

/** An app whose own beat is far away. */
async function start(database: PerspectiveOptions['database'] = url): Promise<TestApp> {
  const app = await startApp(
    optionsFor(database, { sessions: { listen: true, revalidateSeconds: 600 } }),
  )
  await until(() => logged(app, 'listening for revocations') > 0, 'LISTEN')
  return app
}

const logged = (app: TestApp, text: string): number =>
  app.logs.filter((line) => line.includes(`perspective: ${text}`)).length

const setActive = (id: number, isActive: boolean): Promise<unknown> =>
  pool.query('UPDATE auth_user SET is_active = $2 WHERE id = $1', [id, isActive])

describe('sessions.listen (door case 75)', () => {
  const pgp = pgPromise({ noWarnings: true })(url)
  after(() => pgp.$pool.end())
  for (const [name, database] of [
    ['a connection string', url],
    ['a Pool', pool],
    ['a pg-promise database', pgp],
  ] as const) {
    test(`${name}: a deactivated user's sessions end at once`, async () => {
      const app = await start(database)
      const [session, other] = [await openSession(app, 1), await openSession(app, 2)]
      await setActive(6, false)
      assert.deepEqual(await session.closed, { code: 4401, reason: 'deactivated' })
      await assertAlive(other)
      await setActive(6, true)
      await app.close()
    })
  }

  test('a password, and a deletion in a transaction: when it is committed', async () => {
    const app = await start()
    await pool.query(`INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
      SELECT 60 + n, password, false, 'fast1 ' || n, '', '', '', false, true, now() FROM auth_user, generate_series(1, 2) n WHERE username = 'fast1'`)
    const session = await openSession(app, 3)
    await pool.query("UPDATE auth_user SET password = 'other' WHERE id = 8")
    assert.deepEqual(await session.closed, { code: 4401, reason: 'credentials-changed' })
    const client = await pool.connect()
    const other = await openSession(app, 2)
    await client.query('BEGIN')
    await client.query('DELETE FROM auth_user WHERE id = 7')
    await assertAlive(other)
    await client.query('ROLLBACK')
    client.release()
    await assertAlive(other)
    await app.close()
  })

  test('a notification of anybody else ends nothing: an id of a good user, of nobody, nonsense, ten thousand', async () => {
    const app = await start()
    const session = await openSession(app, 1)
    await pool.query('DROP ROLE IF EXISTS stranger')
    await pool.query('CREATE ROLE stranger LOGIN')
    const client = await pool.connect()
    await client.query('SET ROLE stranger')
    for (const payload of [
      '6',
      '',
      '99',
      "'; DROP TABLE auth_user",
      'x'.repeat(7999),
      'django:6',
    ]) {
      await client.query('SELECT pg_notify($1, $2)', [CHANNEL, payload])
    }
    await client.query(`SELECT pg_notify('${CHANNEL}', n::text) FROM generate_series(1, 10000) n`)
    await client.query('RESET ROLE')
    client.release()
    await assertAlive(session)
    await setActive(6, false)
    assert.deepEqual(await session.closed, { code: 4401, reason: 'deactivated' })
    await setActive(6, true)
    assert.ok(!app.logs.some((line) => (JSON.parse(line) as { level: number }).level >= 40))
    await app.close()
  })

  test('a login of Django fires nothing', async () => {
    const client = await pool.connect()
    const heard: unknown[] = []
    client.on('notification', ({ payload }) => heard.push(payload))
    await client.query(LISTENING)
    await pool.query('UPDATE auth_user SET last_login = now(), password = password')
    await setActive(6, false)
    await setActive(6, true)
    await until(() => heard.length >= 2, 'the notifications')
    assert.deepEqual(heard, ['6', '6'])
    client.release(true)
  })

  test(
    'its connection killed: warned, it comes back, and the beat works meanwhile',
    { timeout: 60_000 },
    async () => {
      const app = await startApp(
        optionsFor(url, { sessions: { listen: true, revalidateSeconds: 0.5 } }),
      )
      await until(() => logged(app, 'listening') === 1, 'LISTEN')
      for (let kill = 1; kill <= 2; kill++) {
        const session = await openSession(app, 1)
        const { rowCount } = await pool.query(
          'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1',
          [LISTENING],
        )
        assert.equal(rowCount, 1)
        await until(() => logged(app, 'not listening') === kill, 'the warning')
        await setActive(6, false)
        assert.deepEqual(await session.closed, { code: 4401, reason: 'deactivated' })
        await setActive(6, true)
        await until(() => logged(app, 'listening') === kill + 1, 'LISTEN again', 20_000)
      }
      await app.close()
      const { rowCount } = await pool.query('SELECT 1 FROM pg_stat_activity WHERE query = $1', [
        LISTENING,
      ])
      assert.equal(rowCount, 0)
    },
  )

  test('a database that makes no connections is refused at register, by name', async () => {
    const bare = { query: pool.query.bind(pool) } as never
    await assert.rejects(startApp(optionsFor(bare, { sessions: { listen: true } })), {
      code: 'PB_ERR_OPT_INVALID',
      message: /^option sessions\.listen: expected .*Pool/,
    })
  })
})
