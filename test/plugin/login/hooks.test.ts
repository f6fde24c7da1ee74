// What an app has to say about a login: lockouts, second factors, audits, and what goes wrong in them.
import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { beforeEach, describe, test } from 'node:test'
import {
  type Checker,
  type LoginAttempt,
  type LoginHooks,
  LoginRefusedError,
  type User,
} from 'fastify-perspective'
import { login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { hashPool } from '../../../dist/plugin/django/hash-pool.js'
import { startDjango } from '../django/start-django.js'
import { type Answer, optionsFor, postLogin, startApp, until } from '../start-app.js'

const { pool } = await startDjango()

type Told = [name: keyof LoginHooks, attempt: LoginAttempt, user?: User]
const told: Told[] = []
let hooks: LoginHooks = {}

const badges: Checker = {
  name: 'badges',
  types: ['badge'],
  check: async ({ code }) => (code === 'boom' ? Promise.reject(new Error('boom')) : null),
  load: async () => null,
}
const app = await startApp(
  optionsFor(pool, {
    checkers: [badges],
    loginHooks: {
      beforeCheck: (attempt) => {
        told.push(['beforeCheck', attempt])
        return hooks.beforeCheck?.(attempt)
      },
      succeeded: (attempt, user) => {
        told.push(['succeeded', attempt, user])
        return hooks.succeeded?.(attempt, user)
      },
      failed: (attempt) => {
        told.push(['failed', attempt])
        return hooks.failed?.(attempt)
      },
    },
  }),
)
beforeEach(() => {
  hooks = {}
  told.length = 0
  app.logs.length = 0
})

const GOOD = { username: 'fast1', password: 'fast password 1' }
const names = (): string[] => told.map(([name]) => name)
const bodyOf = ({ body }: Answer) =>
  JSON.parse(body) as { code: string; message: string; retryAfter?: number }
/** Status, header names and body, but for the date. */
const shapeOf = ({ status, headers, body }: Answer) => ({
  status,
  headers: Object.keys(headers).sort(),
  body,
})

describe('login hooks', () => {
  test('see who tries, and never a password', async () => {
    const headers = { 'user-agent': 'a browser', 'x-second-factor': '123456' }
    assert.equal((await postLogin(app, { ...GOOD, username: ' ｆast1\n' }, headers)).status, 200)
    assert.deepEqual(names(), ['beforeCheck', 'succeeded'])
    for (const [, attempt] of told) {
      const { headers: seen, signal, requestId, ...rest } = attempt
      assert.deepEqual(rest, {
        type: 'password',
        checker: 'django',
        accountName: 'fast1',
        ip: '127.0.0.1',
      })
      assert.equal(seen['x-second-factor'], '123456')
      assert.ok(requestId !== '' && app.logs.some((line) => line.includes(`"${requestId}"`)))
      assert.equal(signal.aborted, false)
    }
    assert.equal(told[1]?.[2]?.username, 'fast1')
    assert.doesNotMatch(JSON.stringify(told), /fast password|pbkdf2/)
  })

  test('run for names that exist and names that do not, and tell nothing apart (door hole 36)', async () => {
    const attempts = []
    for (const [username, password] of [
      ['nobody', 'x'],
      ['fast1', 'wrong'],
      ['mallory', 'man in the middle'],
      ['nopass', 'x'],
    ] as const) {
      assert.equal((await postLogin(app, { username, password })).status, 401)
      assert.deepEqual(names(), ['beforeCheck', 'failed'])
      const { accountName, ...attempt } = told[1]![1]
      assert.equal(accountName, username)
      attempts.push(Object.keys(attempt).sort())
      told.length = 0
    }
    for (const keys of attempts) assert.deepEqual(keys, attempts[0])
  })

  test('do not run for what is no login, nor after a limit', async () => {
    assert.equal((await postLogin(app, { ...GOOD, extra: 1 })).status, 400)
    assert.equal((await postLogin(app, { type: 'nobody takes it' })).status, 400)
    assert.deepEqual(names(), ['beforeCheck'], 'the form of its fields is for a checker to say')
    told.length = 0
    const narrow = await startApp(
      optionsFor(pool, {
        rateLimits: { accountPer5Minutes: 1 },
        loginHooks: { beforeCheck: (attempt) => void told.push(['beforeCheck', attempt]) },
      }),
    )
    assert.equal((await postLogin(narrow, GOOD)).status, 200)
    assert.equal((await postLogin(narrow, GOOD)).status, 429)
    assert.deepEqual(names(), ['beforeCheck'])
    await narrow.close()
  })

  test('see the logins of other checkers without their fields', async () => {
    assert.equal((await postLogin(app, { type: 'badge', code: 'hunter2' })).status, 401)
    assert.deepEqual(names(), ['beforeCheck', 'failed'])
    const [, { type, checker, accountName }] = told[0]!
    assert.deepEqual([type, checker, accountName], ['badge', 'badges', null])
    assert.doesNotMatch(JSON.stringify(told), /hunter2/)
    told.length = 0
    // A checker that breaks has not refused anybody.
    assert.equal((await postLogin(app, { type: 'badge', code: 'boom' })).status, 500)
    assert.deepEqual(names(), ['beforeCheck'])
  })

  test('refuse before query and hash, for anybody alike', async (t) => {
    hooks = {
      beforeCheck: () => {
        throw new LoginRefusedError('Locked for a while.', {
          code: 'PB_ERR_APP_LOCKED',
          statusCode: 429,
          retryAfterSeconds: 59.5,
        })
      },
    }
    const query = t.mock.method(pool, 'query')
    const derive = t.mock.method(hashPool, 'derive')
    const answers = []
    for (const username of ['fast1', 'nobody', 'mallory']) {
      answers.push(await postLogin(app, { ...GOOD, username }))
    }
    const [first] = answers
    assert.ok(first)
    assert.equal(first.status, 429)
    assert.equal(first.headers['retry-after'], '60')
    assert.deepEqual(bodyOf(first), {
      code: 'PB_ERR_APP_LOCKED',
      message: 'Locked for a while.',
      retryAfter: 60,
    })
    for (const answer of answers) assert.deepEqual(shapeOf(answer), shapeOf(first))
    assert.deepEqual([query.mock.callCount(), derive.mock.callCount()], [0, 0])
    assert.deepEqual(names(), ['beforeCheck', 'beforeCheck', 'beforeCheck'])
  })

  test('ask for a second factor: no ticket, nothing written, and the page knows why', async () => {
    hooks = {
      succeeded: async ({ headers }) => {
        if (headers['x-second-factor'] === '123456') return
        throw new LoginRefusedError('Enter your code.', { code: 'PB_ERR_APP_SECOND_FACTOR' })
      },
    }
    const read = 'SELECT last_login FROM auth_user WHERE id = 7'
    const credentials = { username: 'fast2', password: 'fast password 2' }
    await assert.rejects(login(app.url, credentials, { WebSocket }), {
      name: 'RequestError',
      code: 'PB_ERR_APP_SECOND_FACTOR',
      message: 'Enter your code.',
      status: 403,
    })
    assert.deepEqual((await pool.query(read)).rows, [{ last_login: null }])
    assert.deepEqual(names(), ['beforeCheck', 'succeeded'])
    const { status } = await postLogin(app, credentials, { 'x-second-factor': '123456' })
    assert.equal(status, 200)
    assert.notDeepEqual((await pool.query(read)).rows, [{ last_login: null }])
  })

  for (const name of ['beforeCheck', 'succeeded', 'failed'] as const) {
    test(`that throw something else in ${name}: 500 without a word of it, logged, no ticket`, async () => {
      const password = name === 'failed' ? 'wrong' : GOOD.password
      const thrown = Object.assign(new RangeError('redis://user:pw@host is away'), {
        statusCode: 418,
        query: 'SELECT hash',
      })
      for (const hook of [
        () => {
          throw thrown
        },
        () => Promise.reject(thrown),
      ]) {
        hooks = { [name]: hook }
        app.logs.length = 0
        const answer = await postLogin(app, { ...GOOD, password })
        assert.equal(answer.status, 500)
        assert.deepEqual(Object.keys(bodyOf(answer)).sort(), ['code', 'message'])
        assert.equal(bodyOf(answer).code, 'PB_ERR_SERVER_FAILED')
        assert.doesNotMatch(answer.body, /redis|ticket/)
        const line = app.logs.find((text) => text.includes(`login hook ${name} failed`))
        assert.match(line ?? '', /RangeError.*redis:/)
        assert.doesNotMatch(line ?? '', /SELECT hash|fast password/)
      }
    })
  }

  test('that take too long: 500, and their signal has aborted', { timeout: 30_000 }, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let signal: AbortSignal | undefined
    hooks = {
      beforeCheck: (attempt) => {
        signal = attempt.signal
        return new Promise(() => undefined)
      },
    }
    const answered = postLogin(app, GOOD)
    await until(() => signal !== undefined, 'the hook')
    t.mock.timers.tick(4_999)
    assert.equal(signal?.aborted, false)
    t.mock.timers.tick(1)
    assert.equal((await answered).status, 500)
    assert.equal(signal.aborted, true)
    assert.ok(app.logs.some((line) => line.includes('no end after 5 s')))
  })

  test('hear that the page has hung up, and go no further', async () => {
    let signal: AbortSignal | undefined
    hooks = {
      beforeCheck: (attempt) => {
        signal = attempt.signal
        return new Promise((_resolve, reject) => {
          attempt.signal.addEventListener('abort', () => reject(attempt.signal.reason as Error))
        })
      },
    }
    const body = JSON.stringify(GOOD)
    const socket = createConnection(app.port, '127.0.0.1')
    socket.write(
      `POST /perspective/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${String(body.length)}\r\n\r\n${body}`,
    )
    await until(() => signal !== undefined, 'the hook')
    socket.destroy()
    await until(() => signal?.aborted === true, 'the signal')
    hooks = {}
    assert.equal((await postLogin(app, GOOD)).status, 200)
    assert.deepEqual(names(), ['beforeCheck', 'beforeCheck', 'succeeded'])
    assert.ok(!app.logs.some((line) => line.includes('login hook')))
  })
})

describe('LoginRefusedError', () => {
  test('has a code and a status of its own, or those of the package', () => {
    const { code, statusCode, retryAfterSeconds } = new LoginRefusedError('No.')
    assert.deepEqual(
      [code, statusCode, retryAfterSeconds],
      ['PB_ERR_LOGIN_REFUSED', 403, undefined],
    )
    assert.equal(new LoginRefusedError('No.', { retryAfterSeconds: 0 }).retryAfterSeconds, 1)
  })

  test('refuses what would be no answer', () => {
    for (const options of [
      { code: 'LOCKED' },
      { code: 'PB_ERR_' },
      { code: 'pb_err_x' },
      { statusCode: 200 },
      { retryAfterSeconds: -1 },
      { retryAfterSeconds: NaN },
      { retryAfterSeconds: Infinity },
    ]) {
      assert.throws(() => new LoginRefusedError('No.', options as object), TypeError)
    }
  })
})
