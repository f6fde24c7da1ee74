// Guesses: what their answers tell, what they cost, and how many there are.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { afterEach, describe, test } from 'node:test'
import { type Recipe } from '../../dist/plugin/django/hashers/hasher.js'
import { hashPool } from '../../dist/plugin/django/hash-pool.js'
import { startDjango } from '../plugin/django/start-django.js'
import {
  type Answer,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  upgrade,
  until,
} from '../plugin/start-app.js'

const { pool } = await startDjango()
const app = await startApp(optionsFor(pool))
afterEach(() => until(() => app.slots() === 0, 'every slot'))

interface Cost {
  readonly answer: Omit<Answer, 'socket' | 'head'>
  readonly statements: readonly string[]
  readonly recipes: readonly Recipe[]
}

/** One login, with every statement and derivation that it has caused. */
async function costOf(username: string, password: string): Promise<Cost> {
  const statements: string[] = []
  const recipes: Recipe[] = []
  const query = pool.query.bind(pool) as (...args: unknown[]) => unknown
  const derive = hashPool.derive.bind(hashPool)
  pool.query = ((text: string, ...rest: unknown[]) => {
    statements.push(text)
    return query(text, ...rest)
  }) as never
  hashPool.derive = (derivation, signal) => {
    recipes.push(derivation.recipe)
    return derive(derivation, signal)
  }
  try {
    const { status, headers, body } = await postLogin(app, { username, password })
    delete headers.date
    return { answer: { status, headers, body }, statements, recipes }
  } finally {
    pool.query = query as never
    hashPool.derive = derive
  }
}

const workOf = (recipes: readonly Recipe[]): unknown =>
  recipes.map((recipe) => (recipe.kind === 'pbkdf2' ? recipe.iterations : recipe.kind))

describe('enumeration (door cases 27 and 28)', () => {
  test('unknown, wrong, inactive, unusable, broken and hostile rows: one answer, one statement, one derivation', async () => {
    const rows = {
      nopass: '!',
      fast3: 'pbkdf2_sha256$1000$$broken',
    }
    await pool.query('UPDATE auth_user SET password = $1 WHERE username = $2', [
      rows.fast3,
      'fast3',
    ])
    await pool.query(
      "UPDATE auth_user SET is_active = false, password = (SELECT password FROM auth_user WHERE username = 'fast1') WHERE username = 'mallory'",
    )
    const costs = []
    for (const [username, password] of [
      ['fast1', 'wrong'],
      ['nobody', 'wrong'],
      ['mallory', 'wrong'],
      ['mallory', 'fast password 1'],
      ['nopass', 'wrong'],
      ['fast3', 'wrong'],
      ["' OR 1=1 --", 'wrong'],
      ['__proto__', 'wrong'],
    ] as const) {
      costs.push(await costOf(username, password))
    }
    const [first] = costs
    assert.equal(first?.answer.status, 401)
    for (const { answer, statements, recipes } of costs) {
      assert.deepEqual(answer, first.answer)
      assert.deepEqual(statements, first.statements)
      assert.deepEqual(workOf(recipes), [1000])
    }
    assert.equal(first.statements.length, 1)
  })

  test('a right password spends as much as a wrong one', async () => {
    const [right, wrong] = [
      await costOf('fast1', 'fast password 1'),
      await costOf('fast1', 'wrong'),
    ]
    assert.equal(right.answer.status, 200)
    assert.deepEqual(workOf(right.recipes), workOf(wrong.recipes))
    assert.deepEqual(Object.keys(right.answer.headers), Object.keys(wrong.answer.headers))
  })

  test('an upgrade with a forged ticket asks the database nothing', async () => {
    const ticket = await ticketOf(app, 1)
    const query = pool.query.bind(pool) as (...args: unknown[]) => unknown
    let asked = 0
    pool.query = ((...args: unknown[]) => {
      asked += 1
      return query(...args)
    }) as never
    const [head = '', claims = ''] = ticket.split('.')
    const forged = `${head}.${claims}.${createHash('sha256').digest('base64url')}`
    assert.equal((await upgrade(app, forged)).status, 401)
    assert.equal(asked, 0)
    const { status, socket } = await upgrade(app, ticket)
    socket.destroy()
    assert.deepEqual([status, asked], [101, 1])
    pool.query = query as never
  })
})

describe('hash-cost bombs (case 21)', () => {
  for (const [name, password] of [
    ['a thousand million iterations', 'pbkdf2_sha256$1000000000$salt$x'],
    ['10^400 iterations', `pbkdf2_sha256$${'9'.repeat(400)}$salt$x`],
    ['argon2 with 4 TiB', 'argon2$argon2id$v=19$m=4294967295,t=2,p=8$c2FsdHNhbHQ$aGFzaGhhc2g'],
    [
      'argon2 with 2^31 passes',
      'argon2$argon2id$v=19$m=102400,t=2147483647,p=8$c2FsdHNhbHQ$aGFzaGhhc2g',
    ],
    ['scrypt with N of 2^30', 'scrypt$1073741824$salt$8$1$aGFzaA=='],
    [
      'bcrypt with 31 rounds',
      'bcrypt_sha256$$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzABCDE',
    ],
    ['a megabyte', `pbkdf2_sha256$1000$${'s'.repeat(1_000_000)}$x`],
  ] as const) {
    test(`${name}: the plain 401, for the price of an unknown user`, async () => {
      await pool.query('ALTER TABLE auth_user ALTER password TYPE text')
      await pool.query("UPDATE auth_user SET password = $1 WHERE username = 'fast3'", [password])
      const [bomb, unknown] = [await costOf('fast3', 'x'), await costOf('nobody', 'x')]
      assert.deepEqual(bomb.answer, unknown.answer)
      assert.deepEqual(workOf(bomb.recipes), [1000])
      assert.deepEqual(workOf(unknown.recipes), [1000])
    })
  }
})

describe('many guesses', () => {
  const limits = { addressPerMinute: 20, accountPer5Minutes: 5, accountPerHour: 12 }
  const behindProxy = { fastify: { trustProxy: '127.0.0.1' } }
  const from = (n: number): Record<string, string> => ({
    'x-forwarded-for': `198.51.${String(n >> 8)}.${String(n & 255)}`,
  })

  test('brute force: one account, one address, all at once: no more than the limit is hashed', async () => {
    const guessed = await startApp(optionsFor(pool, { rateLimits: limits }))
    const answers = await Promise.all(
      Array.from({ length: 18 }, (_, index) =>
        postLogin(guessed, { username: 'fast1', password: `guess ${String(index)}` }),
      ),
    )
    const statuses = answers.map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 401).length, 5)
    assert.equal(statuses.filter((status) => status === 429).length, 13)
    const refused = answers.find(({ status }) => status === 429)
    assert.ok(Number(refused?.headers['retry-after']) > 0)
    assert.deepEqual(
      Object.keys(refused?.headers ?? {}).filter((name) => name.startsWith('x-ratelimit')),
      [],
    )
  })

  test('credential stuffing: many accounts from one address end at the limit of the address', async () => {
    const stuffed = await startApp(optionsFor(pool, { rateLimits: limits }))
    const statuses = []
    for (let index = 0; index < 30; index++) {
      const { status } = await postLogin(stuffed, {
        username: `leaked${String(index)}`,
        password: 'x',
      })
      statuses.push(status)
    }
    assert.deepEqual(statuses, [
      ...Array.from({ length: 20 }, () => 401),
      ...Array.from({ length: 10 }, () => 429),
    ])
  })

  test('one account from many addresses ends at the limit of the account, whether there is one or not', async () => {
    const spread = await startApp(optionsFor(pool, { rateLimits: limits }), behindProxy)
    const guess = async (username: string): Promise<number[]> => {
      const statuses = []
      for (let index = 0; index < 16; index++)
        statuses.push((await postLogin(spread, { username, password: 'x' }, from(index))).status)
      return statuses
    }
    const expected = [
      ...Array.from({ length: 12 }, () => 401),
      ...Array.from({ length: 4 }, () => 429),
    ]
    assert.deepEqual(await guess('fast1'), expected)
    assert.deepEqual(await guess('nobody'), expected)
  })

  test('guesses at the account name that differ by what the checker equates are one account', async () => {
    const spelled = await startApp(optionsFor(pool, { rateLimits: limits }))
    const statuses = []
    for (const username of ['fast1', ' fast1', 'fast1\t', 'ｆast1', 'fast１', '\u2003fast1'])
      statuses.push((await postLogin(spelled, { username, password: 'x' })).status)
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429])
  })
})
