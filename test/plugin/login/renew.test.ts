// POST <prefix>/renew and /logout: what they check, in which order, and what they answer.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SignJWT, decodeJwt, decodeProtectedHeader } from 'jose'
import { startDjango } from '../django/start-django.js'
import {
  assertRejected,
  codeOf,
  logIn,
  openRenewing,
  postLogout,
  renew,
  renewedTicket,
} from '../renewals.js'
import {
  PAGE,
  SECRET,
  type TestApp,
  ask,
  optionsFor,
  present,
  startApp,
  until,
} from '../start-app.js'

const { pool } = await startDjango()
const start = (options: object = {}): Promise<TestApp> => startApp(optionsFor(pool, options))
const app = await start()
afterEach(() => until(() => app.slots() === 0, 'every slot'))

describe('POST <prefix>/renew', () => {
  test('answers a ticket of the same family, and rotates nothing: asked again it answers again', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const login = decodeJwt(ticket)
    for (let n = 0; n < 3; n++) {
      const { status, headers, body } = await renew(app, renewal)
      assert.equal(status, 200)
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['set-cookie'], undefined)
      const answer = JSON.parse(body) as Record<string, unknown>
      assert.deepEqual(Object.keys(answer).sort(), ['expiresIn', 'ticket', 'user'])
      assert.deepEqual(answer['user'], { id: '6', username: 'fast1' })
      assert.equal(answer['expiresIn'], 30)
      const claims = decodeJwt(String(answer['ticket']))
      for (const name of ['sub', 'chk', 'ver', 'org', 'fam', 'rj', 'aut', 'iid']) {
        assert.equal(claims[name], login[name], name)
      }
      assert.notEqual(claims.jti, login.jti)
      assert.equal(await present(app, String(answer['ticket'])), 101)
      await until(() => app.slots() === 0, 'the slot')
    }
  })

  test('a token says what is needed, and nothing of the person', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const { alg, typ, kid, ...others } = decodeProtectedHeader(renewal)
    assert.deepEqual([alg, typ, typeof kid, others], ['HS256', 'pb-renewal+jwt', 'string', {}])
    const claims = decodeJwt(renewal)
    assert.deepEqual(Object.keys(claims).sort(), [
      ...['aud', 'aut', 'chk', 'exp', 'fam', 'iat', 'iss', 'jti', 'org', 'sub', 'ver'],
    ])
    assert.equal(claims.aud, 'perspective:/perspective/renew')
    assert.equal(claims.jti, decodeJwt(ticket)['rj'])
    assert.ok(Math.abs((claims.exp ?? 0) - (claims.iat ?? 0) - 3600) < 0.01)
  })

  test('renewal as ticket and ticket as renewal: 401, and nothing is revoked (door case 6)', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    assert.equal(await present(app, renewal), 401)
    assertRejected(await renew(app, ticket), 'a ticket')
    // Neither a key nor a kind is shared: not with the other's header, and not with its key.
    const payload = decodeJwt(renewal)
    const asRenewal = await new SignJWT(payload)
      .setProtectedHeader({
        alg: 'HS256',
        typ: 'pb-renewal+jwt',
        kid: decodeProtectedHeader(ticket).kid ?? '',
      })
      .sign(Buffer.from(SECRET))
    assertRejected(await renew(app, asRenewal), "by the tickets' key")
    const [, body = '', signature = ''] = renewal.split('.')
    const header = { ...decodeProtectedHeader(renewal), typ: 'pb-ticket+jwt' }
    const head = Buffer.from(JSON.stringify(header)).toString('base64url')
    const asTicket = `${head}.${body}.${signature}`
    assert.equal(await present(app, asTicket), 401)
    assert.equal((await renew(app, renewal)).status, 200)
    assert.equal(await present(app, ticket), 101)
  })

  test('forged, malformed, foreign: 401 (door case 6)', async () => {
    const { renewal } = await logIn(app, 1)
    const [head = '', body = '', signature = ''] = renewal.split('.')
    const claims = decodeJwt(renewal)
    const sign = (changed: object, header: object = {}) =>
      new SignJWT({ ...claims, ...changed })
        .setProtectedHeader({ ...decodeProtectedHeader(renewal), ...header } as never)
        .sign(randomBytes(32))
    for (const token of [
      ...['', 'x', 'a.b.c', `${head}.${body}.`, `${head}.${body}`, `${renewal}=`, `${renewal}\n`],
      ...[
        `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: '7' })).toString('base64url')}.${signature}`,
      ],
      ...[await sign({}), await sign({ sub: '7' }, { kid: '__proto__' }), 'x'.repeat(2000)],
    ]) {
      assertRejected(await renew(app, token), token.slice(0, 20))
    }
    const other = await start({ ticket: { secret: 'another secret of the tests, and long' } })
    assertRejected(await renew(other, renewal), 'of another server')
    assert.equal((await renew(app, renewal)).status, 200)
  })

  test('other shapes: 400; other content types and methods: 415, 404 (door case 30)', async () => {
    const { renewal } = await logIn(app, 1)
    for (const body of [
      ...[
        '',
        '{',
        'null',
        '[]',
        '"x"',
        '5',
        {},
        { renewal: 5 },
        { renewal: null },
        { renewal: [renewal] },
      ],
      ...[
        { renewal, x: 1 },
        { renewal, expect: 6 },
        { renewal, expect: ['6'] },
      ],
      `{"renewal":${JSON.stringify(renewal)},"__proto__":{}}`,
    ]) {
      const answer = await renew(app, typeof body === 'string' ? `${body} ` : body)
      // A text is taken for a token by the helper, unless it is sent as a body.
      if (typeof body === 'string') {
        const sent = await ask(`${app.url}/renew`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        })
        assert.equal(sent.status, 400, body)
      } else assert.equal(answer.status, 400, JSON.stringify(body))
    }
    const plain = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }
    assert.equal((await ask(`${app.url}/renew`, plain)).status, 415)
    for (const method of ['GET', 'PUT']) {
      assert.equal((await ask(`${app.url}/renew`, { method })).status, 404, method)
    }
  })

  test('an origin that is not listed: 403; another one than the login: 401, nothing is revoked', async () => {
    const { renewal } = await logIn(app, 1, { origin: PAGE })
    for (const origin of [
      'null',
      'https://evil.example',
      `${PAGE}.evil.example`,
      PAGE.toUpperCase(),
    ]) {
      const answer = await renew(app, renewal, { origin })
      assert.equal(answer.status, 403, origin)
      assert.equal(codeOf(answer), 'PB_ERR_ORIGIN_REFUSED')
    }
    assertRejected(await renew(app, renewal), 'no origin')
    assert.equal((await renew(app, renewal, { origin: PAGE })).status, 200)
  })

  test('expect: another user is 409, the same is taken (door hole 22)', async () => {
    const { renewal } = await logIn(app, 1)
    const wrong = await renew(app, { renewal, expect: '7' })
    assert.equal(wrong.status, 409)
    assert.equal(codeOf(wrong), 'PB_ERR_USER_CHANGED')
    for (const expect of [
      "'; DROP TABLE auth_user; --",
      '$1:raw',
      '${this}',
      'x'.repeat(5000),
      '06',
    ]) {
      assert.equal((await renew(app, { renewal, expect })).status, 409, expect)
    }
    for (const expect of ['6', null]) {
      assert.equal((await renew(app, { renewal, expect })).status, 200)
    }
  })

  for (const [name, change] of [
    ['password changed', "UPDATE auth_user SET password = password || 'x' WHERE id = 7"],
    ['deactivated', 'UPDATE auth_user SET is_active = false WHERE id = 7'],
    ['is_active NULL is not possible here; deleted', 'DELETE FROM auth_user WHERE id = 7'],
  ] as const) {
    test(`user ${name}: 401`, async () => {
      const { rows } = await pool.query<Record<string, unknown>>(
        'SELECT * FROM auth_user WHERE id = 7',
      )
      const { renewal } = await logIn(app, 2)
      await pool.query(change)
      assertRejected(await renew(app, renewal), name)
      await pool.query('DELETE FROM auth_user WHERE id = 7')
      const columns = Object.keys(rows[0] ?? {})
      await pool.query(
        `INSERT INTO auth_user (${columns.join()}) VALUES (${columns.map((_, index) => `$${String(index + 1)}`).join()})`,
        Object.values(rows[0] ?? {}),
      )
      assert.equal((await renew(app, renewal)).status, 200, 'as it was: the token was not spent')
    })
  }

  test('renewal: false: no token, no route, no notice', async () => {
    const none = await start({ renewal: false })
    const login = await logIn(none, 1)
    assert.equal(login.renewal, undefined)
    assert.equal((await renew(none, 'a.b.c')).status, 404)
    assert.equal((await postLogout(none, 'a.b.c')).status, 404)
    assert.equal(decodeJwt(login.ticket)['fam'], '')
    assert.equal(await present(none, login.ticket), 101)
  })

  test('a secret is changed by a list: tokens of the old one live on (door case 8)', async () => {
    const [k1, k2] = [
      'the first secret of a rotation, long',
      'the second secret of a rotation, long',
    ]
    const before = await start({ ticket: { secret: k1 } })
    const during = await start({ ticket: { secret: [k2, k1] } })
    const gone = await start({ ticket: { secret: k2 } })
    const { renewal } = await logIn(before, 1)
    const ticket = await renewedTicket(during, renewal)
    assert.equal(await present(during, ticket), 101)
    assertRejected(await renew(gone, renewal), 'the secret is gone')
  })
})

// At once: each waits for seconds, and for nobody else.
describe('the time of renewals', { concurrency: true }, () => {
  test('a token ends with its lifetime, and all of them some time after the password', async () => {
    const short = await start({ renewal: { lifetimeSeconds: 2 }, sessions: { maxAgeSeconds: 3 } })
    const { renewal } = await logIn(short, 1)
    const session = await openRenewing(short, await renewedTicket(short, renewal))
    await until(() => session.later().length > 0, 'a fresh token')
    const claims = decodeJwt(session.later()[0]?.token ?? '')
    const { aut } = decodeJwt(renewal) as { aut: number }
    assert.equal(claims['aut'], aut)
    assert.ok((claims.exp ?? 0) <= aut + 3)
    session.socket.terminate()
    // 2 s, and 5 for clocks, of which whole seconds are compared.
    await until(() => Date.now() / 1000 > (decodeJwt(renewal).exp ?? 0) + 6.05, 'its end')
    assertRejected(await renew(short, renewal), 'expired')
  })

  test('who comes back gets no longer session for it: its age is counted from the login', async () => {
    const aging = await start({ sessions: { maxAgeSeconds: 4, heartbeatSeconds: 0.5 } })
    const { renewal } = await logIn(aging, 1)
    await sleep(2000)
    const fresh = await openRenewing(aging, (await logIn(aging, 2)).ticket)
    const back = await openRenewing(aging, await renewedTicket(aging, renewal))
    const first = await Promise.race([fresh.closed.then(() => 'fresh'), back.closed])
    assert.deepEqual(first, { code: 4410, reason: 'max-age' })
    fresh.socket.close(1000)
    await fresh.closed
  })
})
