// The page's side, in Node with the WebSocket of `ws`: every way in which a login ends.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type RequestListener, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, describe, test } from 'node:test'
import { LoginDeniedError, type Realm } from 'fastify-perspective'
import {
  ConnectError,
  Referenceable,
  RequestError,
  UnauthorizedLoginError,
  connect,
  login,
} from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { startDjango } from '../plugin/django/start-django.js'
import { holdQueries } from '../plugin/hold-queries.js'
import {
  type TestContract,
  TestRealm,
  WIDE,
  optionsFor,
  startApp,
  ticketOf,
  until,
} from '../plugin/start-app.js'

const { pool } = await startDjango()
let realm: Realm = TestRealm
const app = await startApp(optionsFor(pool, { realm: (session) => realm(session) }))

const good = { username: 'fast1', password: 'fast password 1' }
const unhandled: unknown[] = []
process.on('unhandledRejection', (error) => unhandled.push(error))

afterEach(async () => {
  realm = TestRealm
  await until(() => app.slots() === 0, 'every slot')
  assert.deepEqual(unhandled, [])
})

const enter = (options: object = {}, url: string | URL = app.url) =>
  login<TestContract>(url, good, { WebSocket, ...options })

/** What a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return promise.then(
    () => assert.fail('it was taken'),
    (error: unknown) => error as Error & Record<string, unknown>,
  )
}

/** A server that is none of ours. */
async function startOther(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
}

describe('login', () => {
  test('opens a session of the user (T34)', async () => {
    const session = await enter()
    assert.deepEqual(session.user, { id: '6', username: 'fast1' })
    assert.ok(Object.isFrozen(session.user))
    assert.equal(await session.perspective.whoAmI(), 'fast1')
    await session.logout()
  })

  test('takes credentials from a function, sync or not', async () => {
    for (const ask of [() => good, async () => good]) {
      const session = await login<TestContract>(app.url, ask, { WebSocket })
      await session.logout()
    }
    const cancelled = new Error('cancelled')
    const error = await failure(login(app.url, () => Promise.reject(cancelled), { WebSocket }))
    assert.equal(error, cancelled)
  })

  test('URL forms: text, URL, trailing slashes, a query and a fragment', async () => {
    for (const url of [new URL(app.url), `${app.url}/`, `${app.url}//`, `${app.url}?a=1#b`]) {
      await (await enter({}, url)).logout()
    }
    for (const url of [
      '/perspective',
      'perspective',
      '',
      'ws://127.0.0.1/perspective',
      'ftp://x/',
    ]) {
      const error = await failure(enter({}, url))
      assert.ok(error instanceof TypeError, url)
      assert.match(error.message, /^url: expected /)
    }
  })

  test('wrong, unknown, inactive: UnauthorizedLoginError, one and the same (T37, T76)', async () => {
    for (const [username, password] of [
      ['fast1', 'wrong'],
      ['nobody', 'x'],
      ['mallory', 'man in the middle'],
    ] as const) {
      const error = await failure(login(app.url, { username, password }, { WebSocket }))
      assert.ok(error instanceof UnauthorizedLoginError)
      assert.equal(error['code'], 'PB_ERR_LOGIN_REJECTED')
    }
  })

  test('too many: RequestError 429 with retryAfterSeconds', async () => {
    const strict = await startApp(
      optionsFor(pool, { rateLimits: { ...WIDE, accountPer5Minutes: 1 } }),
    )
    await (await enter({}, strict.url)).logout()
    const error = await failure(enter({}, strict.url))
    assert.ok(error instanceof RequestError)
    assert.deepEqual([error.status, error.code], [429, 'PB_ERR_LOGIN_LIMIT'])
    assert.ok((error.retryAfterSeconds ?? 0) > 290)
  })

  test('the database away: RequestError 503 with retryAfterSeconds', async (t) => {
    t.mock.method(pool, 'query', () => Promise.reject(new Error('away')))
    const error = await failure(enter())
    assert.ok(error instanceof RequestError)
    assert.deepEqual([error.status, error.code], [503, 'PB_ERR_DB_UNAVAILABLE'])
    assert.ok((error.retryAfterSeconds ?? 0) >= 5)
  })

  test('a shape that is none: RequestError 400', async () => {
    const error = await failure(login(app.url, { username: 5 } as never, { WebSocket }))
    assert.ok(error instanceof RequestError)
    assert.deepEqual([error.status, error.code], [400, 'PB_ERR_LOGIN_SHAPE'])
    assert.equal(error.retryAfterSeconds, null)
  })

  test('a wrong URL, another server, a redirect, nobody: RequestError that says where (T33)', async () => {
    const html = await startOther((_request, response) => response.end('<html>'))
    const json = await startOther((_request, response) => response.end('null'))
    const moved = await startOther((_request, response) => {
      response.writeHead(307, { location: `${app.url}/login` }).end()
    })
    const unauthorized = await startOther((_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic' }).end('a proxy')
    })
    const busy = await startOther((_request, response) => {
      response.writeHead(503, { 'retry-after': '7' }).end('a proxy')
    })
    for (const [url, status, retryAfterSeconds] of [
      [`http://127.0.0.1:${String(app.port)}/nowhere`, 404, null],
      [html, 200, null],
      [json, 200, null],
      [moved, 0, null],
      ['http://127.0.0.1:1', 0, null],
      [unauthorized, 401, null],
      [busy, 503, 7],
    ] as const) {
      const error = await failure(enter({}, url))
      assert.ok(error instanceof RequestError, `${url}: ${error.name}`)
      assert.equal(error.status, status, url)
      assert.equal(error.code, 'PB_ERR_CLIENT_UNREACHABLE')
      assert.equal(error.retryAfterSeconds, retryAfterSeconds)
      assert.match(error.message, /^POST http.*\/login: /)
    }
  })

  test('aborted before, during the request, and while the credentials are asked for', async (t) => {
    const reason = new Error('never mind')
    assert.equal(await failure(enter({ signal: AbortSignal.abort(reason) })), reason)

    const asking = new AbortController()
    const promise = login(app.url, () => new Promise<never>(() => undefined), {
      WebSocket,
      signal: asking.signal,
    })
    asking.abort(reason)
    assert.equal(await failure(promise), reason)

    const controller = new AbortController()
    const query = holdQueries(t, pool)
    const waiting = enter({ signal: controller.signal })
    await until(() => query.waiting() === 1, 'the login')
    controller.abort(reason)
    assert.equal(await failure(waiting), reason)
    query.go()
  })

  test('aborted while the realm works: the session is given up at both ends', async () => {
    const controller = new AbortController()
    let signal: AbortSignal | undefined
    realm = (session) => {
      signal = session.signal
      return new Promise(() => undefined)
    }
    const reason = new Error('never mind')
    const waiting = enter({ signal: controller.signal })
    await until(() => signal !== undefined, 'the realm')
    controller.abort(reason)
    assert.equal(await failure(waiting), reason)
    await until(() => signal?.aborted === true, "the server's end")
  })

  test('a signal that aborts later does not touch an open session', async () => {
    const controller = new AbortController()
    const session = await enter({ signal: controller.signal })
    controller.abort()
    assert.equal(await session.perspective.whoAmI(), 'fast1')
    await session.logout()
  })

  test('options that cannot be: a TypeError before a password is spent', async (t) => {
    const fetching = t.mock.method(globalThis, 'fetch')
    for (const options of [
      { limits: { maxDepth: 0 } },
      { limits: { depth: 1 } },
      { mind: new (class Bare extends Referenceable {})() },
      { mind: null },
      { mind: 'text' },
      { mind: new (class NotReferenceable {})() },
      { copyables: [class NotCopyable {}] },
      { callTimeoutMs: -1 },
    ]) {
      const error = await failure(enter(options))
      assert.ok(error instanceof TypeError, `${JSON.stringify(options)}: ${String(error)}`)
    }
    if (!('WebSocket' in globalThis)) {
      const error = await failure(login(app.url, good))
      assert.match(error.message, /^options\.WebSocket: /)
    }
    assert.equal(fetching.mock.callCount(), 0)
  })
})

describe('connect', () => {
  test('with a ticket, or a function that fetches one; a ticket opens one socket', async () => {
    const ticket = await ticketOf(app, 1)
    await (await connect<TestContract>(app.url, ticket, { WebSocket })).logout()
    const fetched = await connect<TestContract>(app.url, () => ticketOf(app, 2), { WebSocket })
    assert.equal(fetched.user.username, 'fast2')
    await fetched.logout()
    const error = await failure(connect(app.url, ticket, { WebSocket }))
    assert.ok(error instanceof ConnectError)
    assert.equal(error.code, 'PB_ERR_CLIENT_UPGRADE')
    assert.equal(error.reason?.code, 1006)
  })

  test('each refusal is a ConnectError with a reason', async () => {
    const denials: [Realm, string, number][] = [
      [
        () => {
          throw new LoginDeniedError('Only on Mondays.')
        },
        'PB_ERR_CLIENT_REFUSED',
        4403,
      ],
      [
        () => {
          throw new Error('secret')
        },
        'PB_ERR_CLIENT_REFUSED',
        1011,
      ],
      [
        (session) => {
          session.close('out')
          return TestRealm(session)
        },
        'PB_ERR_CLIENT_REFUSED',
        4440,
      ],
    ]
    for (const [denial, code, closeCode] of denials) {
      realm = denial
      const error = await failure(enter())
      assert.ok(error instanceof ConnectError)
      assert.deepEqual([error.code, error.reason?.code], [code, closeCode])
      assert.doesNotMatch(error.message, /secret/)
      if (closeCode === 4403) assert.match(error.message, /Only on Mondays/)
    }
    const nobody = await failure(connect('http://127.0.0.1:1', 'a.b.c', { WebSocket }))
    assert.equal(nobody['code'], 'PB_ERR_CLIENT_UPGRADE')
    const other = await startOther((_request, response) => response.end())
    assert.equal(
      (await failure(connect(other, 'a.b.c', { WebSocket })))['code'],
      'PB_ERR_CLIENT_UPGRADE',
    )
  })

  test('a text that can be no ticket is a TypeError that does not show it', async () => {
    for (const ticket of ['', 'a b', 'a,b', 'secret"ticket', undefined, null, 5]) {
      const error = await failure(connect(app.url, ticket as string, { WebSocket }))
      assert.ok(error instanceof TypeError, String(error))
      assert.match(error.message, /^ticket: expected /)
      assert.doesNotMatch(error.message, /secret/)
    }
  })
})
