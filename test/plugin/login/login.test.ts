import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { hashPool } from '../../../dist/plugin/django/hash-pool.js'
import { startDjango } from '../django/start-django.js'
import { PAGE, ask, optionsFor, postLogin, startApp, until } from '../start-app.js'

const { pool } = await startDjango()
const app = await startApp(optionsFor(pool))

const code = ({ body }: { body: string }): unknown => (JSON.parse(body) as { code: unknown }).code

describe('POST <prefix>/login', () => {
  test('answers a ticket and the user, and nothing that a cache may keep', async () => {
    const { status, body, headers } = await postLogin(app, {
      username: 'fast1',
      password: 'fast password 1',
    })
    assert.equal(status, 200)
    const answer = JSON.parse(body) as Record<string, unknown>
    assert.deepEqual(Object.keys(answer).sort(), ['expiresIn', 'renewal', 'ticket', 'user'])
    assert.deepEqual(answer['user'], { id: '6', username: 'fast1' })
    assert.equal(answer['expiresIn'], 30)
    assert.match(String(answer['ticket']), /^[\w-]+\.[\w-]+\.[\w-]+$/)
    assert.ok(String(answer['ticket']).length < 700)
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['content-type'], 'application/json; charset=utf-8')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['set-cookie'], undefined)
  })

  test('tells unknown, wrong, inactive and unusable apart by nothing (door case 27; T37, T76)', async () => {
    const answers = []
    for (const [username, password] of [
      ['nobody', 'x'],
      ['fast1', 'wrong'],
      ['mallory', 'man in the middle'],
      ['mallory', 'wrong'],
      ['nopass', 'x'],
      ['nopass', '!DkDjjIgkpJEWH0d65ix61iQt1R0uaQwCbDiGOtNU'],
      ['', ''],
      ['fast1', ''],
      ['x'.repeat(200), 'x'],
    ]) {
      const { status, headers, body } = await postLogin(app, { username, password })
      delete headers.date
      answers.push({ status, headers, body })
    }
    const [first] = answers
    assert.equal(first?.status, 401)
    assert.equal(code(first), 'PB_ERR_LOGIN_REJECTED')
    assert.equal(first.headers['www-authenticate'], undefined)
    for (const answer of answers) assert.deepEqual(answer, first)
  })

  test('takes a name as Django does: stripped and NFKC, and exact otherwise', async () => {
    for (const username of [' fast1', 'fast1\u3000', 'ｆａｓｔ１']) {
      const { status } = await postLogin(app, { username, password: 'fast password 1' })
      assert.equal(status, 200, JSON.stringify(username))
    }
    for (const username of ['FAST1', 'fast1\u200b', 'fast%']) {
      const { status } = await postLogin(app, { username, password: 'fast password 1' })
      assert.equal(status, 401, JSON.stringify(username))
    }
    const padded = await postLogin(app, { username: 'fast1', password: ' fast password 1' })
    assert.equal(padded.status, 401, 'a password is not stripped')
  })

  test('refuses any other shape with 400, without query or hash (door case 28, door case 30; O1)', async (t) => {
    const query = t.mock.method(pool, 'query')
    const good = { username: 'fast1', password: 'fast password 1' }
    const bodies = [
      ...['', 'null', '[]', '5', '"fast1"', '{', '{"username":"fast1"}', '\ufeff{}', 'true'],
      ...[5, null, [], {}, true, ['fast1'], 'x'.repeat(255), 'fast1\0', '\ud800'].map(
        (username) => ({
          ...good,
          username,
        }),
      ),
      ...[5, null, [], {}, true, 'x'.repeat(4097), 'a\0b', 'a\udfff'].map((password) => ({
        ...good,
        password,
      })),
      { ...good, extra: 1 },
      { ...good, type: 'otp' },
      { ...good, type: 5 },
      { ...good, type: '__proto__' },
      { ...good, type: 'constructor' },
      '{"username":"fast1","password":"fast password 1","__proto__":{"x":1}}',
      '{"username":"fast1","password":"fast password 1","constructor":{"prototype":{}}}',
      '{"__proto__":{"username":"fast1","password":"fast password 1"}}',
    ]
    for (const body of bodies) {
      const answer = await postLogin(app, body)
      assert.equal(answer.status, 400, JSON.stringify(body))
      assert.equal(code(answer), 'PB_ERR_LOGIN_SHAPE', JSON.stringify(body))
    }
    const invalidUtf8 = await ask(`${app.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.concat([Buffer.from('{"username":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    })
    assert.equal(invalidUtf8.status, 400)
    assert.equal(query.mock.callCount(), 0)
  })

  test('takes a surrogate pair, and texts up to their limits', async () => {
    for (const [username, password] of [
      ['😀', '😀'],
      ['x'.repeat(254), 'x'.repeat(4096)],
    ]) {
      const { status } = await postLogin(app, { username, password })
      assert.equal(status, 401)
    }
  })

  test('refuses other content types with 415 (door case 30)', async () => {
    const body = '{"username":"fast1","password":"fast password 1"}'
    for (const type of [
      ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'],
      ...['application/jsonp', 'application/json5', 'text/json', ''],
    ]) {
      const headers = type === '' ? {} : { 'content-type': type }
      const answer = await ask(`${app.url}/login`, { method: 'POST', headers, body })
      assert.equal(answer.status, 415, type)
      assert.equal(code(answer), 'PB_ERR_LOGIN_CONTENT_TYPE', type)
    }
    for (const type of ['application/json; charset=utf-8', 'Application/JSON']) {
      const answer = await postLogin(app, body, { 'content-type': type })
      assert.equal(answer.status, 200, type)
    }
  })

  test('refuses 1 MB with 413, with and without a content-length (door case 30)', async () => {
    const body = JSON.stringify({ username: 'x'.repeat(1_000_000), password: 'x' })
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      const answer = await postLogin(app, body, headers)
      assert.equal(answer.status, 413)
      assert.equal(code(answer), 'PB_ERR_LOGIN_BODY')
    }
  })

  test('refuses other methods by the app, and a query is nothing to it', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      assert.equal((await ask(`${app.url}/login`, { method })).status, 404, method)
    }
  })

  test('lets listed origins and no others log in (door case 14)', async () => {
    const body = { username: 'fast1', password: 'fast password 1' }
    for (const origin of [
      ...[
        'null',
        'https://evil.example',
        `${PAGE}.evil.example`,
        `${PAGE}:8443`,
        PAGE.toUpperCase(),
      ],
      ...['http://page.example', 'https://page.example.', 'https://page.example/', ''],
    ]) {
      const answer = await postLogin(app, body, { origin })
      assert.equal(answer.status, 403, origin)
      assert.equal(code(answer), 'PB_ERR_ORIGIN_REFUSED')
    }
    assert.equal((await postLogin(app, body, { origin: PAGE })).status, 200)
  })

  test('tells which origin it refused, and the log which ones it would have taken', async () => {
    const body = { username: 'fast1', password: 'fast password 1' }
    const messageAt = async (origin: string): Promise<string> =>
      (JSON.parse((await postLogin(app, body, { origin })).body) as { message: string }).message
    const message = await messageAt('http://localhost:5173')
    assert.match(message, /: "http:\/\/localhost:5173"\.$/)
    assert.ok(!message.includes(PAGE))
    const line = app.logs.find((text) => text.includes('http://localhost:5173'))
    const { origin, allowedOrigins } = JSON.parse(line ?? '{}') as Record<string, unknown>
    assert.deepEqual([origin, allowedOrigins], ['http://localhost:5173', [PAGE]])
    assert.ok((await messageAt(`http://${'x'.repeat(5000)}`)).length < 400)
  })

  test('treats hostile text as text (door case 73)', async () => {
    for (const text of [
      "'; DROP TABLE auth_user; --",
      '$1:raw',
      '${this}',
      '$$',
      '%s',
      "' OR 1=1 --",
    ]) {
      const { status } = await postLogin(app, { username: text, password: text })
      assert.equal(status, 401, text)
    }
    const { rows } = await pool.query<{ count: string }>('SELECT count(*) FROM auth_user')
    assert.equal(rows[0]?.count, '8')
  })

  test(
    'ends a body that does not come with 408 after 10 s (door hole 20)',
    { timeout: 20_000 },
    async () => {
      const socket = createConnection(app.port, '127.0.0.1')
      let answer = ''
      socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
      const closed = new Promise((resolve) => socket.on('close', resolve))
      socket.write(
        'POST /perspective/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
      )
      await closed
      assert.match(answer, /^HTTP\/1\.1 408 /)
      assert.match(answer, /PB_ERR_LOGIN_SLOW/)
      assert.deepEqual(badLogs(), [])
    },
  )

  test('frees the queue when a page hangs up, and logs no error (door hole 27)', async (t) => {
    const derive = t.mock.method(hashPool, 'derive')
    const body = JSON.stringify({ username: 'ada', password: 'x' })
    const sockets = Array.from({ length: 30 }, () => {
      const socket = createConnection(app.port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(
        `POST /perspective/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${String(body.length)}\r\n\r\n${body}`,
      )
      return socket
    })
    await until(() => derive.mock.callCount() >= sockets.length, 'the queue')
    for (const socket of sockets) socket.destroy()
    const { status } = await postLogin(app, { username: 'fast1', password: 'fast password 1' })
    assert.equal(status, 200)
    const hashes = await Promise.allSettled(
      derive.mock.calls.map(({ result }) => result as Promise<unknown>),
    )
    const given = hashes.filter(({ status }) => status === 'fulfilled').length
    // Its own, and what the threads had begun before the server heard of it.
    assert.ok(given <= 1 + 3 * availableParallelism(), `${String(given)} hashes for one page`)
    assert.deepEqual(badLogs(), [])
  })

  test('logs neither password nor hash nor ticket at trace (door case 26)', () => {
    const all = app.logs.join('')
    assert.doesNotMatch(all, /fast password|man in the middle|pbkdf2|eyJ/)
  })
})

function badLogs(): string[] {
  return app.logs.filter((line) => (JSON.parse(line) as { level: number }).level >= 40)
}
