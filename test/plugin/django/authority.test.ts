// What the beat reads of many users at once: whatever their key's type, however many, and whatever one of the ids is.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { DjangoUsers } from 'fastify-perspective/django'
import { startDjango } from './start-django.js'

const { pool } = await startDjango()
const users = new DjangoUsers(pool)

const digestOf = (text: string): string =>
  createHash('sha256').update(text).digest('base64').slice(0, 22)

/** Runs with the texts of the statements that the pool was asked meanwhile. */
async function statementsOf(run: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = []
  const query = pool.query.bind(pool)
  const spied = (text: string, values: unknown[]): unknown => {
    seen.push(text)
    return query(text, values)
  }
  Object.assign(pool, { query: spied })
  try {
    await run()
  } finally {
    Object.assign(pool, { query })
  }
  return seen
}

describe('DjangoUsers.authorityOf', () => {
  test('a database without the tables of groups: its users have none', async () => {
    await pool.query('ALTER TABLE auth_user_groups RENAME TO elsewhere')
    try {
      const found = await users.authorityOf(['2', '99'])
      assert.deepEqual([...found.keys()], ['2'])
      assert.deepEqual(found.get('2')?.groups, [])
    } finally {
      await pool.query('ALTER TABLE elsewhere RENAME TO auth_user_groups')
    }
    await assert.rejects(new DjangoUsers(pool, { table: 'nowhere' }).authorityOf(['2']), {
      code: 'PB_ERR_DB_UNAVAILABLE',
    })
  })

  test('digest, activity and groups; ids that are nobody are left out', async () => {
    await pool.query('INSERT INTO auth_group (id, name) VALUES (7, \'late, "odd"\')')
    await pool.query(
      'INSERT INTO auth_user_groups (user_id, group_id) VALUES (6, 7), (6, 1), (7, 1)',
    )
    const found = await users.authorityOf(['2', '4', '6', '7', '8', '99', '-1'])
    assert.deepEqual([...found.keys()].sort(), ['2', '4', '6', '7', '8'])
    const { rows } = await pool.query<{ id: number; password: string }>(
      'SELECT id, password FROM auth_user WHERE id IN (2, 4, 6, 7, 8)',
    )
    for (const { id, password } of rows) {
      assert.equal(found.get(String(id))?.passwordDigest, digestOf(password))
      assert.equal(found.get(String(id))?.isActive, id !== 4)
    }
    assert.deepEqual(found.get('6')?.groups, ['moderators', 'late, "odd"'], 'oldest first')
    assert.deepEqual(found.get('8')?.groups, [])
    assert.equal(found.get('2')?.groups, found.get('7')?.groups, 'one list for the same groups')
    assert.ok(Object.isFrozen(found.get('2')) && Object.isFrozen(found.get('2')?.groups))
    assert.deepEqual(found.get('6')?.groups, await users.groupsOf('6'))
    await pool.query('DELETE FROM auth_user_groups WHERE user_id IN (6, 7)')
    await pool.query('DELETE FROM auth_group WHERE id = 7')
  })

  test('no ids: no query', async () => {
    const seen = await statementsOf(async () => {
      assert.equal((await users.authorityOf([])).size, 0)
    })
    assert.deepEqual(seen, [])
  })

  test('1000 users by one query, 12,000 by three (door case 48)', async () => {
    await pool.query(`INSERT INTO auth_user
      (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
      SELECT n, 'p' || n, false, 'many' || n, '', '', '', false, true, now() FROM generate_series(10000, 21999) n`)
    await pool.query(
      'INSERT INTO auth_user_groups (user_id, group_id) SELECT id, 1 FROM auth_user WHERE id >= 10000',
    )
    const ids = Array.from({ length: 12_000 }, (_, index) => String(10_000 + index))
    const seen = await statementsOf(async () => {
      assert.equal((await users.authorityOf(ids.slice(0, 1000))).size, 1000)
    })
    assert.equal(seen.length, 1)
    const more = await statementsOf(async () => {
      const found = await users.authorityOf(ids)
      assert.equal(found.size, 12_000)
      assert.deepEqual(found.get('21999')?.groups, ['moderators'])
      assert.equal(found.get('21999')?.passwordDigest, digestOf('p21999'))
    })
    assert.equal(more.length, 3)
  })

  test("an id that the key's type refuses is nobody, and the others are found (door case 48)", async () => {
    for (const bad of [
      'x',
      '99999999999999999999',
      '',
      '1 ',
      "'",
      '"',
      '\\',
      '{}',
      'NULL',
      '1.5',
    ]) {
      const ids = Array.from({ length: 50 }, (_, index) => String(10_000 + index))
      ids.splice(17, 0, bad)
      const found = await users.authorityOf(ids)
      assert.equal([...found.keys()].filter((id) => Number(id) >= 10_000).length, 50, bad)
    }
  })

  for (const [type, ids] of [
    ['integer', ['7', '2147483647']],
    ['bigint', ['7', '9007199254740993']],
    ['uuid', ['0b0f2e3c-7b57-4b5d-9a54-0f6f5a0a1c11', 'ffffffff-ffff-4fff-bfff-ffffffffffff']],
    ['text', ['a"b', 'c\\d', 'e,f', '{g}', 'ünï', 'NULL', ' h ']],
    ['varchar(40)', ['x', 'y']],
  ] as const) {
    test(`a primary key of type ${type}`, async () => {
      await pool.query(
        `DROP TABLE IF EXISTS member; CREATE TABLE member (id ${type} PRIMARY KEY, username text, password text, is_active boolean)`,
      )
      for (const id of ids) {
        await pool.query('INSERT INTO member VALUES ($1, $2, $3, $4)', [id, id, `of ${id}`, true])
      }
      const members = new DjangoUsers(pool, {
        table: 'member',
        isStaffColumn: null,
        isSuperuserColumn: null,
        lastLoginColumn: null,
        groupsTable: null,
        permissionsTable: null,
      })
      const found = await members.authorityOf([...ids, 'nobody'])
      assert.deepEqual([...found.keys()].sort(), [...ids].sort())
      for (const id of ids) assert.equal(found.get(id)?.passwordDigest, digestOf(`of ${id}`))
      await pool.query('UPDATE member SET is_active = NULL, password = NULL WHERE id = $1', [
        ids[0],
      ])
      const changed = (await members.authorityOf([ids[0]])).get(ids[0])
      assert.equal(changed?.isActive, false, 'NULL is not active')
      assert.equal(changed.passwordDigest, digestOf(''))
      // Rows that the site's own filter leaves out are nobody.
      const filtered = new DjangoUsers(pool, {
        table: 'member',
        where: 'password IS NOT NULL -- a comment',
        isStaffColumn: null,
        isSuperuserColumn: null,
        lastLoginColumn: null,
        groupsTable: null,
        permissionsTable: null,
      })
      assert.equal((await filtered.authorityOf([...ids])).size, ids.length - 1)
    })
  }

  test('a database that fails is an error, not nobody', async () => {
    const broken = new DjangoUsers(pool, { table: 'nowhere' })
    await assert.rejects(broken.authorityOf(['1']), { code: 'PB_ERR_DB_UNAVAILABLE' })
  })
})
