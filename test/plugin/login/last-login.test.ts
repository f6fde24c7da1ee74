// `last_login`: written as Django does it, and never a reason to refuse somebody.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import pg from 'pg'
import type { PerspectiveOptions } from 'fastify-perspective'
import { startDjango } from '../django/start-django.js'
import {
  type TestApp,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
  upgrade,
} from '../start-app.js'

const { pool, url } = await startDjango()

const start = (options: Partial<PerspectiveOptions> = {}): Promise<TestApp> =>
  startApp(optionsFor(pool, options))

const query = pool.query.bind(pool) as unknown as (text: string, values: unknown[]) => unknown
const GOOD = { username: 'fast1', password: 'fast password 1' }

/** Everything of a row, as text: what else a login might have written. */
async function rowOf(username: string, table = 'auth_user'): Promise<Record<string, unknown>> {
  const { rows } = await pool.query<{ row: Record<string, unknown> }>(
    `SELECT row_to_json(u) AS row FROM ${table} u WHERE username = $1`,
    [username],
  )
  return rows[0]!.row
}

const warnings = (app: TestApp): string[] =>
  app.logs.filter((line) => (JSON.parse(line) as { level: number }).level >= 40)

describe('a login with a password', () => {
  test('has written last_login, and nothing else, when it is answered (case 52)', async () => {
    const app = await start()
    const before = await rowOf('fast1')
    const { rows: begun } = await pool.query<{ now: Date }>('SELECT now()')
    assert.equal((await postLogin(app, GOOD)).status, 200)
    const { last_login: lastLogin, ...rest } = await rowOf('fast1')
    assert.deepEqual({ ...rest, last_login: null }, before)
    assert.ok(new Date(String(lastLogin)) >= begun[0]!.now)
    // The ticket opens a session, and that writes nothing more.
    const { status, socket } = await upgrade(app, await ticketOf(app, 1))
    const now = (await rowOf('fast1'))['last_login']
    assert.equal(status, 101)
    socket.destroy()
    await until(() => app.slots() === 0, 'the slot')
    assert.equal((await rowOf('fast1'))['last_login'], now)
    assert.deepEqual(warnings(app), [])
  })

  test('writes nothing when it fails, for any cause (case 53)', async () => {
    const app = await start({ upgradePasswords: true })
    const dump = async (): Promise<unknown> =>
      (await pool.query('SELECT xmin, * FROM auth_user ORDER BY id')).rows
    const before = await dump()
    for (const [username, password] of [
      ['nobody', 'x'],
      ['fast1', 'wrong'],
      ['mallory', 'man in the middle'],
      ['nopass', 'x'],
    ]) {
      assert.equal((await postLogin(app, { username, password })).status, 401)
    }
    assert.deepEqual(await dump(), before)
  })

  test('writes nothing where it is not to (case 52)', async () => {
    const app = await start({ updateLastLogin: false })
    const before = await rowOf('fast2')
    await ticketOf(app, 2)
    assert.deepEqual(await rowOf('fast2'), before)
  })

  test('writes nothing where the model has no such column (case 52)', async () => {
    await pool.query(`CREATE TABLE without AS TABLE auth_user;
      ALTER TABLE without DROP COLUMN last_login`)
    const app = await start({ users: { table: 'without', lastLoginColumn: null } })
    const before = await rowOf('fast1', 'without')
    await ticketOf(app, 1)
    assert.deepEqual(await rowOf('fast1', 'without'), before)
    assert.deepEqual(warnings(app), [])
  })

  test('goes on where it may not be written: one line, and PostgreSQL is left alone', async (t) => {
    await pool.query(`CREATE ROLE reader LOGIN PASSWORD 'reads';
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader`)
    const address = new URL(url)
    address.username = 'reader'
    address.password = 'reads'
    const reader = new pg.Pool({ connectionString: address.href })
    after(() => reader.end())
    const app = await startApp(optionsFor(reader))
    const before = await rowOf('fast3')
    for (let n = 0; n < 3; n++) await ticketOf(app, 3)
    const asked = t.mock.method(reader, 'query')
    await ticketOf(app, 3)
    assert.equal(asked.mock.callCount(), 1, 'the user alone')
    assert.deepEqual(await rowOf('fast3'), before)
    const lines = warnings(app)
    assert.equal(lines.length, 1, lines.join(''))
    assert.match(lines[0]!, /last_login cannot be written.*updateLastLogin: false/)
    assert.match(lines[0]!, /"code":"42501"/)
    assert.doesNotMatch(lines[0]!, /UPDATE "|fast3|permission denied/)
    // Tried again after a while, without another word; and then it works.
    await pool.query('GRANT UPDATE (last_login) ON auth_user TO reader')
    const now = performance.now()
    t.mock.method(performance, 'now', () => now + 600_001)
    await ticketOf(app, 3)
    assert.notEqual((await rowOf('fast3'))['last_login'], before['last_login'])
    assert.equal(warnings(app).length, 1)
  })

  test('does not wait for a row that somebody has locked', { timeout: 20_000 }, async () => {
    const app = await start()
    const before = (await rowOf('fast2'))['last_login']
    const client = await pool.connect()
    try {
      await client.query("BEGIN; SELECT 1 FROM auth_user WHERE username = 'fast2' FOR UPDATE")
      await ticketOf(app, 2)
      assert.equal((await rowOf('fast2'))['last_login'], before)
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
    let after = before
    while (after === before) after = (await rowOf('fast2'))['last_login']
    assert.deepEqual(warnings(app), [])
  })

  test('goes on where the database is lost in between: one line until it is back', async (t) => {
    const app = await start()
    const mock = t.mock.method(pool, 'query', (text: string, values: unknown[]) =>
      text.startsWith('UPDATE')
        ? Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNRESET' }))
        : query(text, values),
    )
    await ticketOf(app, 1)
    await ticketOf(app, 1)
    assert.equal(warnings(app).length, 1)
    mock.mock.restore()
    const before = (await rowOf('fast1'))['last_login']
    await ticketOf(app, 1)
    assert.notEqual((await rowOf('fast1'))['last_login'], before, 'tried at each login')
  })
})
