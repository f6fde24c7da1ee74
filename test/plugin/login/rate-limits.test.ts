import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fastifyRateLimit from '@fastify/rate-limit'
import { startDjango } from '../django/start-django.js'
import {
  type AppSetup,
  type TestApp,
  WIDE,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  upgrade,
} from '../start-app.js'

const { pool } = await startDjango()

const start = (rateLimits: object, setup?: AppSetup): Promise<TestApp> =>
  startApp(optionsFor(pool, { rateLimits: { ...WIDE, ...rateLimits } }), setup)

const guess = (app: TestApp, username: string, headers = {}) =>
  postLogin(app, { username, password: 'wrong' }, headers)

async function statuses(app: TestApp, names: string[], headers = {}): Promise<number[]> {
  const found = []
  for (const name of names) found.push((await guess(app, name, headers)).status)
  return found
}

describe('limits of logins', () => {
  test('an account from one address: 429 with Retry-After, before query and hash (door case 32; O16)', async (t) => {
    const app = await start({ accountPer5Minutes: 3 })
    assert.deepEqual(await statuses(app, ['fast1', 'fast1', 'fast1']), [401, 401, 401])
    const query = t.mock.method(pool, 'query')
    const { status, headers, body } = await postLogin(app, {
      username: 'fast1',
      password: 'fast password 1',
    })
    assert.equal(status, 429)
    assert.equal(query.mock.callCount(), 0)
    const { code, retryAfter } = JSON.parse(body) as { code: string; retryAfter: number }
    assert.equal(code, 'PB_ERR_LOGIN_LIMIT')
    assert.ok(retryAfter > 290 && retryAfter <= 300, String(retryAfter))
    assert.equal(headers['retry-after'], String(retryAfter))
    const names = Object.keys(headers).filter((name) => name.startsWith('x-ratelimit'))
    assert.deepEqual(names, [])
    assert.deepEqual(await statuses(app, ['fast2']), [401], 'another account')
  })

  test('spellings that the checker equates share one bucket (case 80; door case 32)', async () => {
    const app = await start({ accountPer5Minutes: 3 })
    const names = ['alice', ' alice', 'ａlice', 'alice\u3000', '\talice ']
    assert.deepEqual(await statuses(app, names), [401, 401, 401, 429, 429])
    assert.deepEqual(await statuses(app, ['Alice']), [401], 'Django tells these two apart')
  })

  test('names that nobody has are limited the same', async () => {
    const app = await start({ accountPer5Minutes: 1 })
    const real = [await guess(app, 'fast1'), await guess(app, 'fast1')]
    const none = [await guess(app, 'nobody'), await guess(app, 'nobody')]
    for (const [index, answer] of real.entries()) {
      assert.equal(answer.status, none[index]?.status)
      assert.deepEqual(Object.keys(answer.headers), Object.keys(none[index]?.headers ?? {}))
    }
  })

  test('many guesses at once pass no limit together', async () => {
    const app = await start({ accountPer5Minutes: 4 })
    const all = await Promise.all(Array.from({ length: 20 }, () => guess(app, 'fast1')))
    assert.equal(all.filter(({ status }) => status === 401).length, 4)
    assert.equal(all.filter(({ status }) => status === 429).length, 16)
  })

  test('an address, whatever the account and the shape', async () => {
    const app = await start({ addressPerMinute: 3 })
    assert.deepEqual(await statuses(app, ['a', 'b']), [401, 401])
    assert.equal((await postLogin(app, '{')).status, 400)
    assert.deepEqual(await statuses(app, ['c']), [429])
  })

  test('X-Forwarded-For helps nobody without trustProxy (door case 35)', async () => {
    const app = await start({ addressPerMinute: 2 })
    const found = []
    for (const n of [1, 2, 3]) {
      const address = `10.0.0.${String(n)}`
      const headers = {
        'x-forwarded-for': address,
        'x-real-ip': address,
        forwarded: `for=${address}`,
      }
      found.push((await guess(app, 'x', headers)).status)
    }
    assert.deepEqual(found, [401, 401, 429])
  })

  test('behind a trusted proxy: ip:port, brackets and one /64 are one address (door case 35)', async () => {
    const app = await start({ addressPerMinute: 1 }, { fastify: { trustProxy: '127.0.0.1' } })
    const by = async (address: string) =>
      (await guess(app, 'x', { 'x-forwarded-for': address })).status
    assert.equal(await by('10.0.0.1:4711'), 401)
    assert.equal(await by('10.0.0.1:4712'), 429)
    assert.equal(await by('::ffff:10.0.0.1'), 429)
    assert.equal(await by('10.0.0.2'), 401)
    assert.equal(await by('2001:db8::1'), 401)
    assert.equal(await by('[2001:db8:0:0:ffff::2]:443'), 429)
    assert.equal(await by('2001:DB8:0:1::1'), 401)
    assert.equal(await by('rubbish'), 401, "the socket's address")
    assert.equal(await by('more rubbish'), 429)
  })

  test('strangers cannot lock out an owner who has logged in from here before (door case 37)', async () => {
    const app = await start({ accountPerHour: 3 }, { fastify: { trustProxy: '127.0.0.1' } })
    const owner = { 'x-forwarded-for': '10.9.9.9' }
    const good = { username: 'fast3', password: 'fast password 3' }
    assert.equal((await postLogin(app, good, owner)).status, 200)
    for (const n of [1, 2, 3, 4]) {
      await guess(app, 'fast3', { 'x-forwarded-for': `10.0.0.${String(n)}` })
    }
    const stranger = await postLogin(app, good, { 'x-forwarded-for': '10.0.0.9' })
    assert.equal(stranger.status, 429)
    assert.equal((await postLogin(app, good, owner)).status, 200)
  })
})

describe('limits of upgrades', () => {
  test('refused ones of an address are limited, good ones are not counted', async () => {
    const app = await start({ refusedUpgradesPerMinute: 2 })
    const tickets = []
    for (let n = 0; n < 5; n++) tickets.push(await ticketOf(app, 1))
    for (const ticket of tickets.slice(0, 4)) {
      const { status, socket } = await upgrade(app, ticket)
      socket.destroy()
      assert.equal(status, 101)
    }
    for (const expected of [401, 401, 429]) {
      const { status, headers } = await upgrade(app, 'a.b.c')
      assert.equal(status, expected)
      if (expected === 429) assert.ok(Number(headers['retry-after']) > 50)
    }
    assert.equal((await upgrade(app, tickets[4] ?? '')).status, 429)
  })
})

/** A store that the app brings; without the optional `read`. */
function storeOf(
  incr: (key: string, done: (error: Error | null, result?: object) => void) => void,
) {
  return class {
    incr(key: string, done: (error: Error | null, result?: object) => void): void {
      incr(key, done)
    }
    child(): this {
      return this
    }
  } as never
}

const REDIS = 'redis://user:password@redis.example'
const HOSTS: Record<string, object> = {
  'an allowList with everybody': { max: 1000, allowList: ['127.0.0.1'] },
  'an allowList function': { max: 1000, allowList: () => true },
  skipOnError: {
    max: 1000,
    skipOnError: true,
    store: storeOf((_key, done) => {
      done(new Error(REDIS))
    }),
  },
  'a failing store': {
    global: false,
    store: storeOf((_key, done) => {
      done(new Error(REDIS))
    }),
  },
  'a store that never answers': { global: false, store: storeOf(() => undefined) },
  'a store without read': {
    global: false,
    store: (() => {
      const counts = new Map<string, number>()
      return storeOf((key, done) => {
        counts.set(key, (counts.get(key) ?? 0) + 1)
        done(null, { current: counts.get(key), ttl: 60_000 })
      })
    })(),
  },
  'continueExceeding and exponentialBackoff': { continueExceeding: true, exponentialBackoff: true },
}

describe("beside the app's own @fastify/rate-limit (door case 38)", () => {
  for (const [name, host] of Object.entries(HOSTS)) {
    test(`our limits hold: ${name}`, { timeout: 30_000 }, async () => {
      const limits = { accountPer5Minutes: 2, refusedUpgradesPerMinute: 2 }
      const app = await start(limits, {
        before: (instance) => instance.register(fastifyRateLimit, host),
      })
      assert.deepEqual(
        await statuses(app, ['fast1', 'fast1', 'fast1', 'fast1']),
        [401, 401, 429, 429],
      )
      const last = await guess(app, 'fast1')
      assert.ok(Number(last.headers['retry-after']) <= 300, String(last.headers['retry-after']))
      const found = []
      for (let n = 0; n < 4; n++) found.push((await upgrade(app, 'a.b.c')).status)
      assert.deepEqual(found, [401, 401, 429, 429])
      assert.doesNotMatch(last.body + app.logs.join(''), /redis/)
    })
  }

  test("the app's own global limit answers in our form", async () => {
    const app = await start(
      {},
      { before: (instance) => instance.register(fastifyRateLimit, { max: 1 }) },
    )
    assert.deepEqual(await statuses(app, ['a', 'a']), [401, 429])
    const { body } = await guess(app, 'a')
    assert.match(body, /PB_ERR_LOGIN_LIMIT/)
  })
})
