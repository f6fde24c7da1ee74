// Django's session cookie as a way in, without a Django; test/django/cookie.test.ts has real ones.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { addLogin, loggedIn, SECRET_KEY, signCookie } from '../django/django-session.js'
import { startDjango } from '../django/start-django.js'
import { PAGE, SECRET, ask, optionsFor, startApp, ticketOf, upgrade } from '../start-app.js'
import { claimsOf, code, postTicket, statusOf } from './post-ticket.js'

const { url, pool } = await startDjango()
const djangoSessions = { secretKeys: [SECRET_KEY] }
const app = await startApp(optionsFor(pool, { djangoSessions }))

describe('POST <prefix>/ticket', () => {
  test('answers a ticket of the user whom Django has logged in, and no renewal', async () => {
    const key = await addLogin(pool, 'fast1')
    const { status, body, headers } = await postTicket(app, {
      cookie: `csrftoken=x; sessionid=${key}; theme=dark`,
    })
    assert.equal(status, 200)
    const { ticket, ...answer } = JSON.parse(body) as { ticket: string }
    assert.deepEqual(answer, { user: { id: '6', username: 'fast1' }, expiresIn: 30 })
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['set-cookie'], undefined)
    const claims = claimsOf(ticket)
    assert.deepEqual([claims['chk'], claims['sub'], claims['org']], ['django', '6', PAGE])
    assert.equal(await statusOf(app, ticket), 101)
    assert.equal(await statusOf(app, ticket), 401, 'it opens one socket')
  })

  test('believes no cookie without a listed origin, nor a GET (door case 44)', async (t) => {
    const cookie = `sessionid=${await addLogin(pool, 'fast1')}`
    const query = t.mock.method(pool, 'query')
    for (const origin of [
      'null',
      'https://evil.example',
      `${PAGE}.evil.example`,
      `${PAGE}:1`,
      '',
    ]) {
      const answer = await postTicket(app, { cookie, origin })
      assert.deepEqual([answer.status, code(answer)], [403, 'PB_ERR_ORIGIN_REFUSED'], origin)
    }
    const none = await ask(`${app.url}/ticket`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: '{}',
    })
    assert.deepEqual([none.status, code(none)], [403, 'PB_ERR_ORIGIN_REFUSED'])
    for (const method of ['GET', 'HEAD', 'PUT']) {
      const { status } = await ask(`${app.url}/ticket`, {
        method,
        headers: { cookie, origin: PAGE },
      })
      assert.equal(status, 404, method)
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      assert.equal((await postTicket(app, { cookie, 'content-type': type })).status, 415, type)
    }
    // The socket itself takes no cookie for a ticket.
    assert.equal((await upgrade(app, 'x', { cookie, origin: PAGE })).status, 401)
    assert.equal(query.mock.callCount(), 0)
  })

  test('refuses any other body with 400, without a query', async (t) => {
    const cookie = `sessionid=${await addLogin(pool, 'fast1')}`
    const query = t.mock.method(pool, 'query')
    for (const body of [
      ...['', 'null', '[]', '5', '{', '"x"', '{"__proto__":{}}', '{"username":"fast1"}'],
      ...[5, [], {}, true].map((expect) => ({ expect })),
      { expect: '6', more: 1 },
    ]) {
      const answer = await postTicket(app, { cookie }, body)
      assert.deepEqual([answer.status, code(answer)], [400, 'PB_ERR_LOGIN_SHAPE'], inspect(body))
    }
    assert.equal((await postTicket(app, { cookie }, { expect: 'x'.repeat(10_000) })).status, 413)
    assert.equal(query.mock.callCount(), 0)
  })

  test('says 409 where the browser is somebody else by now (door hole 22)', async () => {
    const cookie = `sessionid=${await addLogin(pool, 'fast1')}`
    assert.equal((await postTicket(app, { cookie }, { expect: '6' })).status, 200)
    const answer = await postTicket(app, { cookie }, { expect: '7' })
    assert.deepEqual([answer.status, code(answer)], [409, 'PB_ERR_USER_CHANGED'])
    assert.doesNotMatch(answer.body, /fast1|"6"/)
    const nobody = await postTicket(app, { cookie: 'sessionid=0123456789abcdef' }, { expect: '7' })
    assert.deepEqual([nobody.status, code(nobody)], [401, 'PB_ERR_LOGIN_REJECTED'])
  })

  test('answers every cause alike, two cookies of the name among them (door hole 22, case 72, 74)', async () => {
    const [key, other] = [await addLogin(pool, 'fast1'), await addLogin(pool, 'fast2')]
    const inactive = await addLogin(pool, 'mallory')
    const gone = await addLogin(pool, 'fast1')
    await pool.query('DELETE FROM django_session WHERE session_key = $1', [gone])
    const answers = []
    for (const cookie of [
      ...['', 'sessionid', 'sessionid=', 'Sessionid=x', 'other=1', `xsessionid=${key}`],
      ...[`sessionid=${inactive}`, `sessionid=${gone}`, `sessionid=${key.toUpperCase()}`],
      ...[`sessionid=${key}; sessionid=${other}`, `sessionid=${key};sessionid=${key}`],
      ...[`sessionid=x; sessionid =${key}`, `sessionid=; sessionid=${key}`, `sessionid="${key}"`],
      ...['sessionid=short', `sessionid=${'x'.repeat(41)}`, `sessionid=${'é'.repeat(10)}`],
    ]) {
      const { status, headers, body } = await postTicket(app, { cookie })
      delete headers.date
      answers.push({ status, headers, body })
    }
    const twoHeaders = await postTicket(app, { cookie: [`sessionid=${key}`, `sessionid=${other}`] })
    assert.equal(twoHeaders.status, 401)
    const [first] = answers
    assert.equal(first?.status, 401)
    assert.equal((JSON.parse(first.body) as { code: string }).code, 'PB_ERR_LOGIN_REJECTED')
    for (const answer of answers) assert.deepEqual(answer, first)
    // Django's own parser takes blanks around both.
    assert.equal((await postTicket(app, { cookie: ` sessionid = ${key} ` })).status, 200)
  })

  test('the database away is 503 and never 401', async () => {
    const away = await startApp(
      optionsFor('postgres://nobody@127.0.0.1:1/none', { djangoSessions }),
    )
    const answer = await postTicket(away, { cookie: 'sessionid=0123456789abcdef' })
    assert.deepEqual([answer.status, code(answer)], [503, 'PB_ERR_DB_UNAVAILABLE'])
    assert.ok(Number(answer.headers['retry-after']) >= 5)
  })

  test('hostile text is text, and PostgreSQL sees parameters only (door case 73)', async () => {
    const other = await startApp(optionsFor(url, { djangoSessions }))
    const key = await addLogin(pool, 'fast1')
    const hostile = [
      ...["'DROP TABLE auth_user", '$1:raw$1:raw', '${this}${this}', '$$$$$$$$$$', '%s%s%s%s%s'],
      ...["' OR 1=1 --', '", 'x'.repeat(5000)],
    ]
    for (const at of [app, other]) {
      for (const text of hostile) {
        const { status } = await postTicket(at, { cookie: `sessionid=${text}` })
        assert.equal(status, 401, text)
        const cookie = `sessionid=${key}`
        assert.equal((await postTicket(at, { cookie }, { expect: text })).status, 409, text)
      }
    }
    const { rows } = await pool.query<{ query: string }>('SELECT query FROM pg_stat_activity')
    const seen = rows.map(({ query }) => query).join('\n')
    assert.match(
      seen,
      /FROM "django_session" WHERE .* session_key = \$1|FROM "auth_user" WHERE "id" = \$1/,
    )
    assert.doesNotMatch(seen, /DROP|raw|this|%s|OR 1=1|xxxx/)
  })

  test('is not there without the option', async () => {
    const plain = await startApp(optionsFor(pool))
    const cookie = `sessionid=${await addLogin(pool, 'fast1')}`
    assert.equal((await postTicket(plain, { cookie })).status, 404)
  })

  test('takes another cookie name, and the sessions of signed_cookies', async () => {
    const option = { ...djangoSessions, cookieName: 'site.sid', engine: 'signed_cookies' } as const
    const signed = await startApp(optionsFor(pool, { djangoSessions: option }))
    const value = signCookie(await loggedIn(pool, 'fast1'))
    assert.equal((await postTicket(signed, { cookie: `sessionid=${value}` })).status, 401)
    const answer = await postTicket(signed, { cookie: `site.sid=${value}` })
    assert.equal(answer.status, 200, answer.body)
    const { ticket } = JSON.parse(answer.body) as { ticket: string }
    assert.equal(await statusOf(signed, ticket), 101)
  })

  test('counts an address by a counter of its own', async () => {
    const rateLimits = { ticketsPerMinute: 2, addressPerMinute: 1 }
    const limited = await startApp(optionsFor(pool, { djangoSessions, rateLimits }))
    const cookie = `sessionid=${await addLogin(pool, 'fast1')}`
    assert.equal(
      (await postTicket(limited, { cookie, origin: 'https://evil.example' })).status,
      403,
    )
    assert.equal((await postTicket(limited, { cookie })).status, 200)
    assert.equal((await postTicket(limited, { cookie: '' })).status, 401)
    const answer = await postTicket(limited, { cookie })
    assert.deepEqual([answer.status, code(answer)], [429, 'PB_ERR_LOGIN_LIMIT'])
    assert.ok(Number(answer.headers['retry-after']) >= 1)
    assert.ok(await ticketOf(limited, 1), 'a login is still free')
  })
})

test('ticket.secret must not be the SECRET_KEY', async () => {
  const options = optionsFor(pool, {
    djangoSessions: { secretKeys: [SECRET_KEY, SECRET] },
  })
  await assert.rejects(startApp(options), {
    code: 'PB_ERR_OPT_INVALID',
    message: "option ticket.secret: expected a secret of its own, got Django's SECRET_KEY",
  })
})
