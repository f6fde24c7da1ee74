// docs/database-role.sql is enough for all that the plugin does, and no more.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, describe, test } from 'node:test'
import { Avatar, type RemoteMethods, unchecked } from 'fastify-perspective'
import { login } from 'fastify-perspective/client'
import pg from 'pg'
import { WebSocket } from 'ws'
import { startDjango } from '../django/start-django.js'
import { type TestApp, optionsFor, postLogin, startApp, until } from '../start-app.js'

const { pool, url } = await startDjango()
const sql = await readFile(new URL('../../../docs/database-role.sql', import.meta.url), 'utf8')
await pool.query(sql)
await pool.query("ALTER ROLE perspective PASSWORD 'of the role'")
const address = new URL(url)
address.username = 'perspective'
address.password = 'of the role'
const role = new pg.Pool({ connectionString: address.href })
after(() => role.end())

/** The statements that the file leaves to those who need them. */
const further = sql.split('\n').flatMap((line) => /^-- (GRANT .*;)$/.exec(line)?.[1] ?? [])
const grant = (words: string): Promise<unknown> => {
  const [statement, another] = further.filter((line) => line.includes(words))
  assert.ok(statement !== undefined && another === undefined, words)
  return pool.query(statement)
}

class Clerk extends Avatar {
  static readonly remote: RemoteMethods<Clerk> = {
    groups: true,
    may: unchecked,
    guarded: { requires: 'chat.delete_line' },
  }
  groups(): readonly string[] {
    return this.user.groups
  }
  may(permission: string): Promise<boolean> {
    return this.user.hasPerm(permission)
  }
  guarded(): string {
    return 'granted'
  }
}

const start = (options: object = {}): Promise<TestApp> =>
  startApp(optionsFor(address.href, { realm: (session) => new Clerk(session), ...options }))

const GOOD = { username: 'fast1', password: 'fast password 1' }
const warnings = (app: TestApp): string[] =>
  app.logs.filter((line) => (JSON.parse(line) as { level: number }).level >= 40)
const readRow = async (): Promise<{ password: string; last_login: Date | null }> =>
  (await pool.query('SELECT password, last_login FROM auth_user WHERE id = 6')).rows[0] as never

describe('the role of docs/database-role.sql', () => {
  test('logs in, writes last_login, opens a session, reads groups and permissions', async () => {
    await pool.query('INSERT INTO auth_user_groups (user_id, group_id) VALUES (6, 1)')
    const app = await start()
    const page = await login<Clerk>(app.url, GOOD, { WebSocket })
    assert.notEqual((await readRow()).last_login, null)
    assert.deepEqual(await page.perspective.groups(), ['moderators'])
    assert.equal(await page.perspective.may('chat.delete_line'), true)
    assert.equal(await page.perspective.may('auth.add_user'), false)
    assert.equal(await page.perspective.guarded(), 'granted')
    await page.logout()
    assert.equal((await postLogin(app, { ...GOOD, password: 'wrong' })).status, 401)
    assert.equal((await postLogin(app, { ...GOOD, username: 'nobody' })).status, 401)
    await until(() => app.slots() === 0, 'the slot')
    assert.deepEqual(warnings(app), [])
  })

  test('may do nothing else', async () => {
    for (const statement of [
      'SELECT email FROM auth_user',
      'SELECT * FROM auth_user',
      'UPDATE auth_user SET is_superuser = true',
      "UPDATE auth_user SET password = '!'",
      'DELETE FROM auth_user',
      'INSERT INTO auth_user_groups (user_id, group_id) VALUES (6, 1)',
      'SELECT session_key FROM django_session',
      'SELECT * FROM auth_permission',
      'CREATE TABLE mine (x int)',
    ]) {
      await assert.rejects(role.query(statement), { code: '42501' }, statement)
    }
  })

  test('writes a hash anew with the grant for it, and until then says once that it cannot', async () => {
    const before = (await readRow()).password
    const options = { upgradePasswords: true, passwordIterations: 2000 }
    const app = await start(options)
    for (let n = 0; n < 2; n++) assert.equal((await postLogin(app, GOOD)).status, 200)
    assert.equal((await readRow()).password, before)
    assert.equal(warnings(app).length, 1)
    await grant('UPDATE (password)')
    const granted = await start(options)
    const page = await login<Clerk>(granted.url, GOOD, { WebSocket })
    await page.logout()
    assert.match((await readRow()).password, /^pbkdf2_sha256\$2000\$/)
    assert.deepEqual(warnings(granted), [])
  })

  test("reads Django's sessions with the grant for it", async () => {
    const read =
      'SELECT session_data FROM django_session WHERE session_key = $1 AND expire_date > now()'
    await assert.rejects(role.query(read, ['x'.repeat(32)]), { code: '42501' })
    await grant('session_key')
    assert.deepEqual((await role.query(read, ['x'.repeat(32)])).rows, [])
    await assert.rejects(role.query('DELETE FROM django_session'), { code: '42501' })
    assert.equal(further.length, 2)
  })

  test('without UPDATE(last_login): the login works, and the log says once what is missing', async () => {
    await pool.query('REVOKE UPDATE (last_login) ON auth_user FROM perspective')
    const { last_login: before } = await readRow()
    const app = await start()
    for (let n = 0; n < 3; n++) assert.equal((await postLogin(app, GOOD)).status, 200)
    assert.deepEqual((await readRow()).last_login, before)
    assert.equal(warnings(app).length, 1)
    assert.match(warnings(app)[0]!, /last_login cannot be written/)
  })
})
