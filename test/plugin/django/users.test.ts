import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DjangoUsers, openDatabase, type UserModel } from 'fastify-perspective/django'
import { ACCOUNTS } from '../../../tools/postgres/accounts.js'
import { startDjango } from './start-django.js'

const { url, pool } = await startDjango()
const users = new DjangoUsers(pool)

async function idOf(username: string): Promise<string> {
  const account = await users.accountByUsername(username)
  assert.ok(account)
  return account.user.id
}

describe('DjangoUsers', () => {
  test('reads a row as a frozen user, the hash beside it', async () => {
    const account = await users.accountByUsername('ada')
    assert.ok(account)
    const { user, password } = account
    assert.deepEqual(user, {
      id: '1',
      username: 'ada',
      isActive: true,
      isStaff: true,
      isSuperuser: true,
      lastLogin: null,
    })
    assert.ok(Object.isFrozen(user))
    assert.match(password, /^pbkdf2_sha256\$1000000\$/)
    assert.deepEqual(await users.byId('1'), user)
    assert.deepEqual(await users.accountById('1'), account)
  })

  test('finds every account of the fixture', async () => {
    for (const { username } of ACCOUNTS) {
      const account = await users.accountByUsername(username)
      assert.equal(account?.user.username, username)
      assert.equal(account.user.isActive, username !== 'mallory')
    }
  })

  test('reads last_login as a Date, to the millisecond', async () => {
    await pool.query(
      "UPDATE auth_user SET last_login = '2026-03-29 02:30:00.123+02' WHERE username = 'fast1'",
    )
    const account = await users.accountByUsername('fast1')
    assert.deepEqual(account?.user.lastLogin, new Date('2026-03-29T00:30:00.123Z'))
  })

  test('gives null for a name that nobody has', async () => {
    const names = ['nobody', 'ADA', ' ada', 'ada ', '', '\0', 'ada\0', '%', "ada' OR '1'='1"]
    for (const name of names) assert.equal(await users.accountByUsername(name), null, name)
    const injection = "'; DROP TABLE auth_user; --"
    assert.equal(await users.accountByUsername(injection), null)
    assert.ok(await users.byId('1'))
  })

  test('gives null for an id that no key of its type has, or that is not str(pk)', async () => {
    const ids = [
      '999',
      '0',
      '-1',
      '',
      'x',
      '1x',
      ' 1',
      '01',
      '+1',
      '1.0',
      '1e0',
      '\0',
      '1; SELECT 1',
    ]
    ids.push('2147483648', '9223372036854775808', '9'.repeat(400))
    for (const id of ids) {
      assert.equal(await users.byId(id), null, id)
      assert.equal(await users.accountById(id), null, id)
    }
    for (const id of ['999', 'x', '', '9'.repeat(400)]) {
      assert.deepEqual(await users.permissionsOf(id), new Set())
    }
  })

  test('leaves an open database to its owner', async () => {
    const database = openDatabase(url)
    const own = new DjangoUsers(database)
    assert.ok(await own.byId('1'))
    await own.close()
    assert.ok(await own.byId('1'))
    await database.close()
  })
})

describe('permissionsOf', () => {
  test('unites the permissions of user and groups', async () => {
    const grace = await idOf('grace')
    assert.deepEqual(await users.permissionsOf(grace), new Set(['chat.delete_line']))
    const grant = `INSERT INTO auth_user_user_permissions (user_id, permission_id)
      SELECT $1, id FROM auth_permission WHERE codename = ANY($2)`
    await pool.query(grant, [grace, ['delete_line', 'view_line']])
    assert.deepEqual(
      await users.permissionsOf(grace),
      new Set(['chat.delete_line', 'chat.view_line']),
    )
  })

  test('is empty without a grant', async () => {
    assert.deepEqual(await users.permissionsOf(await idOf('linus')), new Set())
  })

  test('is all there are for a superuser', async () => {
    const { rows } = await pool.query('SELECT count(*)::int AS count FROM auth_permission')
    const permissions = await users.permissionsOf(await idOf('ada'))
    assert.equal(permissions.size, (rows as [{ count: number }])[0].count)
    assert.ok(permissions.has('chat.delete_line') && permissions.has('auth.add_user'))
  })

  test('is empty for an inactive user, superuser or granted', async () => {
    const mallory = await idOf('mallory')
    await pool.query('INSERT INTO auth_user_groups (user_id, group_id) VALUES ($1, 1)', [mallory])
    assert.deepEqual(await users.permissionsOf(mallory), new Set())
    await pool.query('UPDATE auth_user SET is_superuser = true WHERE id = $1', [mallory])
    assert.deepEqual(await users.permissionsOf(mallory), new Set())
  })
})

describe('a custom user model', () => {
  const KEYS = [
    ['uuid', '6f1c0e9a-5b1f-4f0e-9d57-0a1b2c3d4e5f', '6f1c0e9a-5b1f-4f0e-9d57-0a1b2c3d4e50'],
    ['bigint', '9007199254740993', '9007199254740992'],
    ['varchar(40)', 'key with "quotes"', 'other'],
    ['text', '', 'other'],
  ] as const

  for (const [index, [type, id, other]] of KEYS.entries()) {
    test(`has a ${type} key as text`, async () => {
      const table = `accounts_member${String(index)}`
      const owner = `member${String(index)}_id`
      await pool.query(`
        CREATE TABLE ${table} (key ${type} PRIMARY KEY, email varchar(254), password varchar(128),
          last_login timestamptz, is_active bool, is_staff bool, is_superuser bool);
        CREATE TABLE ${table}_groups (id serial, ${owner} ${type}, group_id int);
        CREATE TABLE ${table}_user_permissions (id serial, ${owner} ${type}, permission_id int)`)
      const insert = `INSERT INTO ${table} VALUES ($1, $2, 'hash', NULL, true, false, false)`
      await pool.query(insert, [id, 'ada@example.com'])
      await pool.query(`INSERT INTO ${table}_groups (${owner}, group_id) VALUES ($1, 1)`, [id])
      const members = new DjangoUsers(pool, { table, idColumn: 'key', usernameColumn: 'email' })
      const user = await members.byId(id)
      assert.equal(user?.id, id)
      assert.deepEqual(await members.accountByUsername('ada@example.com'), {
        user,
        password: 'hash',
      })
      assert.equal(await members.byId(other), null)
      assert.equal(await members.byId('no such key'), null)
      assert.equal(await members.byId(id.toUpperCase().concat(' ')), null)
      assert.deepEqual(await members.permissionsOf(id), new Set(['chat.delete_line']))
      assert.deepEqual(await members.permissionsOf(other), new Set())
    })
  }

  test('refuses a name that two rows have', async () => {
    await pool.query("CREATE TABLE twins AS SELECT * FROM auth_user WHERE username = 'linus'")
    const twins = new DjangoUsers(pool, { table: 'twins' })
    assert.ok(await twins.accountByUsername('linus'))
    await pool.query('INSERT INTO twins SELECT * FROM twins')
    assert.equal(await twins.accountByUsername('linus'), null)
    assert.equal(await twins.byId(await idOf('linus')), null)
  })

  test('lies in another schema, under a name that needs quotes', async () => {
    await pool.query(`CREATE SCHEMA "the ""other"""`)
    const client = await pool.connect()
    try {
      await client.query(`SET search_path TO "the ""other""", public`)
      for (const table of ['auth_permission', 'django_content_type', 'auth_group_permissions']) {
        await client.query(`CREATE TABLE "the ""other""".${table} AS TABLE public.${table}`)
      }
      await client.query(`
        CREATE TABLE "Auth_User" AS TABLE public.auth_user;
        CREATE TABLE "Auth_User_groups" AS SELECT user_id AS "User_id", group_id FROM public.auth_user_groups;
        CREATE TABLE "Auth_User_user_permissions" ("User_id" int, permission_id int)`)
    } finally {
      client.release(true)
    }
    const others = new DjangoUsers(pool, { table: 'the "other".Auth_User' })
    assert.equal((await others.accountByUsername('grace'))?.user.username, 'grace')
    assert.deepEqual(await others.permissionsOf('2'), new Set(['chat.delete_line']))
  })

  test('matches a citext column as the column compares', async () => {
    const { rows } = await pool.query("SELECT 1 FROM pg_available_extensions WHERE name = 'citext'")
    assert.equal(rows.length, 1)
    await pool.query(`CREATE EXTENSION citext; CREATE TABLE insensitive AS TABLE auth_user;
      ALTER TABLE insensitive ALTER COLUMN username TYPE citext`)
    const insensitive = new DjangoUsers(pool, { table: 'insensitive' })
    assert.equal((await insensitive.accountByUsername('ADA'))?.user.username, 'ada')
  })

  test('adds columns to the user, and never the hash', async () => {
    const model = { columns: { mail: 'email', joined: 'date_joined' } } as unknown as UserModel
    const user = await new DjangoUsers(pool, model).byId('1')
    assert.deepEqual(user, {
      ...(await users.byId('1')),
      mail: '',
      joined: new Date('2025-04-02T12:00:00Z'),
    })
    assert.ok(Object.isFrozen(user))
  })

  test('is refused by name when it cannot be', () => {
    const refused: readonly [object, RegExp][] = [
      [{ table: '' }, /^option users\.table: expected a name that PostgreSQL can quote, got/],
      [{ table: 'a.b.c' }, /^option users\.table: expected "table" or "schema.table", got string$/],
      [{ table: 5 }, /^option users\.table: expected "table" or "schema.table", got number$/],
      [{ table: 'a\0' }, /^option users\.table: /],
      [{ idColumn: '' }, /^option users\.idColumn: /],
      [{ usernameColumn: null, idColumn: 7 }, /^option users\.idColumn: .* got number$/],
      [{ columns: { phone: '' } }, /^option users\.columns\.phone: .* got an empty string$/],
      [
        { columns: { id: 'email' } },
        /^option users\.columns\.id: expected a field that no user has/,
      ],
      [{ columns: { hash: 'password' } }, /^option users\.columns\.hash: /],
    ]
    for (const [model, message] of refused) {
      assert.throws(() => new DjangoUsers(pool, model), {
        name: 'InvalidOptionError',
        code: 'PB_ERR_OPT_INVALID',
        message,
      })
    }
  })
})
