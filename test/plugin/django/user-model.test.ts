import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  authenticate,
  DjangoUsers,
  hasPermission,
  normalizeUsername,
  type UserModel,
} from 'fastify-perspective/django'
import { startDjango } from './start-django.js'

const { pool } = await startDjango()

const BARE = {
  table: 'bare_person',
  isActiveColumn: null,
  isStaffColumn: null,
  isSuperuserColumn: null,
  lastLoginColumn: null,
} as const satisfies UserModel

const hashOf = async (username: string): Promise<string> => {
  const { rows } = await pool.query('SELECT password FROM auth_user WHERE username = $1', [
    username,
  ])
  return (rows as [{ password: string }])[0].password
}

describe('a model without some columns', () => {
  test('has active users who are nothing else (case 38)', async () => {
    await pool.query('CREATE TABLE bare_person (id bigint, username varchar, password varchar)')
    await pool.query('INSERT INTO bare_person VALUES ($1, $2, $3)', [
      '9007199254740993',
      'fast1',
      await hashOf('fast1'),
    ])
    const users = new DjangoUsers(pool, { ...BARE, groupsTable: null, permissionsTable: null })
    const account = await authenticate(
      users,
      { username: 'fast1', password: 'fast password 1' },
      { iterations: 1 },
    )
    assert.deepEqual(account?.user, {
      id: '9007199254740993',
      username: 'fast1',
      isActive: true,
      isStaff: false,
      isSuperuser: false,
      lastLogin: null,
    })
    assert.deepEqual(await users.permissionsOf(account.user.id), new Set())
    assert.deepEqual(await users.groupsOf(account.user.id), [])
  })

  test('lets inactive users in for AllowAllUsersModelBackend (case 39)', async () => {
    const credentials = { username: 'mallory', password: 'man in the middle' }
    assert.equal(await authenticate(new DjangoUsers(pool), credentials), null)
    const all = new DjangoUsers(pool, { isActiveColumn: null })
    assert.equal((await authenticate(all, credentials))?.user.username, 'mallory')
  })

  test('may have either of the two tables of grants', async () => {
    await pool.query(`
      CREATE TABLE bare_person_groups (person_id bigint, group_id int);
      CREATE TABLE bare_person_user_permissions (person_id bigint, permission_id int);
      INSERT INTO bare_person_groups VALUES (9007199254740993, 1);
      INSERT INTO bare_person_user_permissions
        SELECT 9007199254740993, id FROM auth_permission WHERE codename = 'view_line'`)
    const read = (model: Partial<UserModel>): Promise<ReadonlySet<string>> =>
      new DjangoUsers(pool, { ...BARE, ...model }).permissionsOf('9007199254740993')
    assert.deepEqual(await read({}), new Set(['chat.delete_line', 'chat.view_line']))
    assert.deepEqual(await read({ groupsTable: null }), new Set(['chat.view_line']))
    assert.deepEqual(await read({ permissionsTable: null }), new Set(['chat.delete_line']))
  })

  test('takes NULL for no flag, no name and no password', async () => {
    await pool.query(`
      CREATE TABLE nulls AS TABLE auth_user WITH NO DATA;
      INSERT INTO nulls (id) VALUES (1);
      INSERT INTO nulls (id, username, password, is_active) VALUES (2, 'null', NULL, true);
      INSERT INTO nulls (id, last_login) VALUES (3, 'infinity'), (4, '-infinity'), (5, '280000-01-01')`)
    const users = new DjangoUsers(pool, {
      table: 'nulls',
      groupsTable: null,
      permissionsTable: null,
    })
    assert.deepEqual(await users.accountById('1'), {
      user: {
        id: '1',
        username: '',
        isActive: false,
        isStaff: false,
        isSuperuser: false,
        lastLogin: null,
      },
      password: '',
    })
    // Times that no Date can be.
    for (const id of ['3', '4', '5']) assert.equal((await users.byId(id))?.lastLogin, null, id)
    const credentials = { username: 'null', password: 'null' }
    assert.equal(await authenticate(users, credentials, { iterations: 1 }), null)
    assert.deepEqual(await users.permissionsOf('1'), new Set())
  })
})

describe('a model with other names', () => {
  test('finds columns and tables where it says (cases 40 to 42)', async () => {
    const id = '6f1c0e9a-5b1f-4f0e-9d57-0a1b2c3d4e5f'
    await pool.query(`
      CREATE SCHEMA people; CREATE SCHEMA grants;
      CREATE TABLE people."Person" (key uuid, mail varchar, secret varchar, enabled bool, boss bool,
        root bool, seen timestamptz);
      CREATE TABLE people.member_of ("who" uuid, group_id int);
      CREATE TABLE grants.granted ("who" uuid, permission_id int)`)
    for (const table of [
      'auth_group',
      'auth_permission',
      'auth_group_permissions',
      'django_content_type',
    ]) {
      await pool.query(`CREATE VIEW people.${table} AS TABLE public.${table}`)
    }
    const insert =
      'INSERT INTO people."Person" VALUES ($1, $2, $3, true, true, false, \'2026-01-02 03:04:05.678Z\')'
    await pool.query(insert, [id, 'ada@example.com', await hashOf('fast1')])
    await pool.query('INSERT INTO people.member_of VALUES ($1, 1)', [id])
    await pool.query('INSERT INTO grants.granted VALUES ($1, 1)', [id])
    const users = new DjangoUsers(pool, {
      table: 'people.Person',
      idColumn: 'key',
      usernameColumn: 'mail',
      passwordColumn: 'secret',
      isActiveColumn: 'enabled',
      isStaffColumn: 'boss',
      isSuperuserColumn: 'root',
      lastLoginColumn: 'seen',
      groupsTable: 'member_of',
      permissionsTable: 'grants.granted',
      ownerColumn: 'who',
    })
    const credentials = { username: 'ada@example.com', password: 'fast password 1' }
    const account = await authenticate(users, credentials, { iterations: 1 })
    assert.deepEqual(account?.user, {
      id,
      username: 'ada@example.com',
      isActive: true,
      isStaff: true,
      isSuperuser: false,
      lastLogin: new Date('2026-01-02T03:04:05.678Z'),
    })
    const permissions = await users.permissionsOf(id)
    assert.equal(permissions.size, 2)
    assert.ok(hasPermission(account.user, permissions, 'chat.delete_line'))
    assert.deepEqual(await users.groupsOf(id), ['moderators'])
    assert.deepEqual(await users.permissionsOf(id.toUpperCase()), permissions)
    assert.equal(await users.byId(id.toUpperCase()), null)
  })

  test('has its own tables in a schema and those of django.contrib.auth elsewhere, as db_table = \'"site"."client"\'', async () => {
    await pool.query(`
      CREATE SCHEMA site; CREATE TABLE site.client AS TABLE auth_user;
      CREATE TABLE site.client_groups AS SELECT user_id AS client_id, group_id FROM auth_user_groups;
      CREATE TABLE site.client_user_permissions (client_id int, permission_id int)`)
    const { rows } = await pool.query<{ id: number }>(
      'SELECT client_id AS id FROM site.client_groups JOIN site.client c ON c.id = client_id WHERE c.is_active LIMIT 1',
    )
    const id = String(rows[0]!.id)
    for (const authSchema of [null, 'public']) {
      const users = new DjangoUsers(pool, { table: 'site.client', authSchema })
      assert.deepEqual((await users.accountWithGroups(id))?.groups, ['moderators'])
      assert.deepEqual(await users.groupsOf(id), ['moderators'])
      assert.deepEqual((await users.authorityOf([id])).get(id)?.groups, ['moderators'])
      const permissions = await users.permissionsOf(id)
      assert.deepEqual(await users.grantsOf(id), permissions)
      assert.ok(permissions.has('chat.delete_line'))
    }
    const none = new DjangoUsers(pool, { table: 'site.client', authSchema: 'none' })
    await assert.rejects(none.permissionsOf(id), { code: 'PB_ERR_DB_UNAVAILABLE' })
  })

  test('refuses the column of the hash under any name', () => {
    const model = { passwordColumn: 'secret', columns: { note: 'secret' } } as unknown as UserModel
    assert.throws(() => new DjangoUsers(pool, model), { code: 'PB_ERR_OPT_INVALID' })
  })
})

describe('where', () => {
  test('leaves out a row everywhere', async () => {
    await pool.query(`CREATE TABLE soft_user AS SELECT *, username = 'grace' AS deleted FROM auth_user;
      CREATE VIEW soft_user_groups AS TABLE auth_user_groups;
      CREATE VIEW soft_user_user_permissions AS TABLE auth_user_user_permissions`)
    for (const where of ['NOT deleted', 'deleted = false OR false', 'NOT deleted -- gone']) {
      const users = new DjangoUsers(pool, { table: 'soft_user', where })
      assert.equal((await users.byId('1'))?.username, 'ada')
      assert.equal(await users.byId('2'), null)
      assert.equal(await users.accountByUsername('grace'), null)
      assert.deepEqual(await users.permissionsOf('2'), new Set())
      assert.deepEqual(await users.groupsOf('2'), [])
      assert.ok((await users.permissionsOf('1')).size > 0)
    }
    const all = new DjangoUsers(pool, { table: 'soft_user' })
    assert.deepEqual(await all.groupsOf('2'), ['moderators'])
  })
})

describe('iexact (T79)', () => {
  test('finds a name in any case, and takes patterns for text', async () => {
    const users = new DjangoUsers(pool, { iexact: true })
    for (const name of ['ada', 'ADA', 'aDa']) {
      assert.equal((await users.accountByUsername(name))?.user.username, 'ada')
    }
    for (const name of ['a%', 'a_a', '%', '.*', 'ad\\a', "ada' OR '1'='1", '\0']) {
      assert.equal(await users.accountByUsername(name), null, name)
    }
    assert.equal(await new DjangoUsers(pool).accountByUsername('ADA'), null)
  })

  test('refuses a name that two rows have, in every spelling (case 50)', async () => {
    await pool.query(`CREATE TABLE twin AS TABLE auth_user;
      UPDATE twin SET username = 'Fast1' WHERE username = 'fast2'`)
    const users = new DjangoUsers(pool, { table: 'twin', iexact: true })
    const credentials = { password: 'fast password 1' }
    for (const username of ['fast1', 'Fast1', 'FAST1']) {
      assert.equal(await users.accountByUsername(username), null)
      const account = await authenticate(users, { ...credentials, username }, { iterations: 1 })
      assert.equal(account, null)
    }
    assert.equal((await users.accountByUsername('FAST3'))?.user.username, 'fast3')
    const exact = new DjangoUsers(pool, { table: 'twin' })
    assert.equal((await exact.accountByUsername('Fast1'))?.user.username, 'Fast1')
  })

  test('counts guesses at one account under one name (case 80)', () => {
    const users = new DjangoUsers(pool, { iexact: true })
    const names = ['ada', 'ADA', ' ａda ', 'ada\n'].map((name) => users.accountName(name))
    assert.equal(new Set(names).size, 1)
    const exact = new DjangoUsers(pool)
    assert.notEqual(exact.accountName('ada'), exact.accountName('ADA'))
    assert.equal(exact.accountName(' ａda '), 'ada')
  })
})

describe('usernameMaxLength', () => {
  test('says from where on a name is looked up as it is (case 45)', async () => {
    const long = `${'ａ'.repeat(180)}@example.com`
    const folded = long.normalize('NFKC')
    assert.equal(normalizeUsername(long), long)
    assert.equal(normalizeUsername(long, 254), folded)
    await pool.query(`CREATE TABLE mail AS TABLE auth_user;
      ALTER TABLE mail ALTER COLUMN username TYPE varchar(254)`)
    await pool.query("UPDATE mail SET username = $1 WHERE username = 'fast1'", [folded])
    const logIn = async (model: UserModel) => {
      const credentials = { username: long, password: 'fast password 1' }
      const users = new DjangoUsers(pool, { table: 'mail', ...model })
      return (await authenticate(users, credentials, { iterations: 1 }))?.user.username
    }
    assert.equal(await logIn({ usernameMaxLength: 254 }), folded)
    assert.equal(await logIn({}), undefined)
  })
})

describe('groupsOf', () => {
  test('reads names in the order of the groups, also of an inactive user', async () => {
    await pool.query(`INSERT INTO auth_group (name) VALUES ('alpha'), ('beta');
      INSERT INTO auth_user_groups (user_id, group_id) SELECT u.id, g.id FROM auth_user u, auth_group g
        WHERE u.username = 'mallory' ORDER BY g.id DESC`)
    const users = new DjangoUsers(pool)
    const mallory = await users.accountByUsername('mallory')
    assert.deepEqual(await users.groupsOf(mallory!.user.id), ['moderators', 'alpha', 'beta'])
    for (const id of ['999', 'x', '', '9'.repeat(400), '1; SELECT 1']) {
      assert.deepEqual(await users.groupsOf(id), [])
    }
  })
})

describe('a model that cannot be', () => {
  test('is refused by name', () => {
    const refused: readonly [object, RegExp][] = [
      [{ tabel: 'x' }, /^option users\.tabel: expected one of table, .* got an unknown name$/],
      [{ authSchema: '' }, /^option users\.authSchema: expected a name that PostgreSQL can quote/],
      [{ where: '' }, /^option users\.where: expected SQL of a condition, got an empty string$/],
      [{ where: 5 }, /^option users\.where: .* got number$/],
      [{ iexact: 'yes' }, /^option users\.iexact: expected true or false, got string$/],
      [{ usernameMaxLength: 0 }, /^option users\.usernameMaxLength: /],
      [{ usernameMaxLength: '254' }, /^option users\.usernameMaxLength: .* got string$/],
      [{ isActiveColumn: '' }, /^option users\.isActiveColumn: /],
      [{ passwordColumn: null, lastLoginColumn: 7 }, /^option users\.lastLoginColumn: /],
      [{ groupsTable: 'a.b.c' }, /^option users\.groupsTable: /],
      [{ ownerColumn: '' }, /^option users\.ownerColumn: /],
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
