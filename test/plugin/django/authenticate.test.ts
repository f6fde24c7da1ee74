import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  authenticate,
  DjangoUsers,
  type DjangoAccount,
  type PasswordOptions,
} from 'fastify-perspective/django'
import { hashPool, type Derivation, type Waiter } from '../../../dist/plugin/django/hash-pool.js'
import { ACCOUNTS } from '../../../tools/postgres/accounts.js'
import { startDjango } from './start-django.js'

const { pool } = await startDjango()
let queryCount = 0
const users = new DjangoUsers({
  query(text: string, values: unknown[]) {
    queryCount++
    return pool.query<object>(text, values)
  },
})
const CHEAP = { iterations: 1234 }

const derivations: number[] = []
const derive = hashPool.derive.bind(hashPool)
// Counted on the way to the real threads.
hashPool.derive = (derivation: Derivation, waiter?: Waiter) => {
  const { recipe } = derivation
  derivations.push(recipe.kind === 'pbkdf2' ? recipe.iterations : -1)
  return derive(derivation, waiter)
}

async function logIn(
  username: string,
  password: string,
  options: PasswordOptions = CHEAP,
): Promise<{ account: DjangoAccount | null; costs: number[] }> {
  derivations.length = 0
  const account = await authenticate(users, { username, password }, options)
  return { account, costs: [...derivations] }
}

async function countQueries(action: () => Promise<unknown>): Promise<number> {
  queryCount = 0
  await action()
  return queryCount
}

describe('authenticate', () => {
  for (const { username, password } of ACCOUNTS) {
    if (password === null || username === 'mallory') continue
    test(`lets ${username} in with the hash that Django made`, async () => {
      const { account, costs } = await logIn(username, password)
      assert.equal(account?.user.username, username)
      assert.deepEqual(costs, [username.startsWith('fast') ? 1000 : 1_000_000])
      assert.equal((await logIn(username, `${password} `)).account, null)
    })
  }

  test('takes a username as the form does', async () => {
    for (const username of [' fast1\n', 'ｆａｓｔ１', '\u3000fast1\x85', 'ｆast1 ']) {
      assert.equal((await logIn(username, 'fast password 1')).account?.user.username, 'fast1')
    }
    for (const username of ['FAST1', '\ufefffast1', 'fast1\u200b']) {
      assert.equal((await logIn(username, 'fast password 1')).account, null)
    }
  })

  test('takes a password as it is', async () => {
    const variants = [
      ' fast password 1',
      'fast password 1\n',
      'ｆast password 1',
      'Fast password 1',
    ]
    for (const password of variants) assert.equal((await logIn('fast1', password)).account, null)
  })

  test('spends one new password and one query, whatever the cause (cases 30, 33 to 35)', async () => {
    const set = 'UPDATE auth_user SET password = $2, is_active = $3 WHERE username = $1'
    const { rows } = await pool.query("SELECT password FROM auth_user WHERE username = 'fast2'")
    const [{ password: hash }] = rows as [{ password: string }]
    const causes: readonly [string, string, string, boolean, number[]][] = [
      // What the hash lacks of today's iterations, as Django's harden_runtime.
      ['a wrong password', 'wrong', hash, true, [1000, 234]],
      ['inactive', 'fast password 2', hash, false, [1000]],
      ['inactive and a wrong password', 'wrong', hash, false, [1000, 234]],
      ['deactivated by a prefix', 'fast password 2', `!${hash}`, true, [1234]],
      ['unusable', 'x', '!AYp2l82GzUNGGCicVNmfZrL49N7YNY4laBVw8isU', true, [1234]],
      ['another hasher', 'x', 'bcrypt$$2b$04$abcdefghijklmnopqrstuu', true, [1234]],
      ['junk', 'x', 'plain text', true, [1234]],
      ['an empty column', 'x', '', true, [1234]],
      ['too many iterations', 'x', hash.replace('$1000$', '$10000001$'), true, [1234]],
    ]
    for (const [cause, password, stored, isActive, costs] of causes) {
      await pool.query(set, ['fast2', stored, isActive])
      const queries = await countQueries(async () => {
        assert.deepEqual(await logIn('fast2', password), { account: null, costs }, cause)
      })
      assert.equal(queries, 1, cause)
    }
    const unknown = ['nobody', 'n'.repeat(151), "' OR 1=1 --", '"; DROP TABLE auth_user; --']
    for (const username of unknown) {
      const queries = await countQueries(async () => {
        assert.deepEqual(await logIn(username, 'x'), { account: null, costs: [1234] }, username)
      })
      assert.equal(queries, 1, username)
    }
    await pool.query(set, ['fast2', hash, true])
    assert.ok((await logIn('fast2', 'fast password 2')).account)
  })

  test('spends what Django 5.2 spends when nothing is said', async () => {
    assert.deepEqual((await logIn('nobody', 'x', {})).costs, [1_000_000])
    assert.deepEqual((await logIn('nopass', 'x', {})).costs, [1_000_000])
  })

  test('refuses by itself what the form refuses, without query and derivation', async () => {
    const refused = [
      ['', 'x'],
      [' \t\u3000', 'x'],
      ['fast1', ''],
      ['fast1\0', 'fast password 1'],
      ['fast1', 'fast password 1\0'],
      ['fast1\ud800', 'fast password 1'],
      ['fast1', '\udfff'],
    ] as const
    for (const [username, password] of refused) {
      const queries = await countQueries(async () => {
        assert.deepEqual(await logIn(username, password), { account: null, costs: [] })
      })
      assert.equal(queries, 0)
    }
  })

  test('writes nothing', async () => {
    const dump = async (): Promise<unknown> =>
      (await pool.query('SELECT xmin, * FROM auth_user ORDER BY id')).rows
    const before = await dump()
    await logIn('fast1', 'fast password 1')
    await logIn('fast1', 'wrong')
    await logIn('nobody', 'wrong')
    assert.deepEqual(await dump(), before)
  })

  test('gives up when its signal says so', async () => {
    const reason = new Error('the page has gone')
    const options = { ...CHEAP, signal: AbortSignal.abort(reason) }
    await assert.rejects(logIn('fast1', 'fast password 1', options), reason)
    await assert.rejects(logIn('nobody', 'x', options), reason)
  })
})
