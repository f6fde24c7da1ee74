// Forged tickets, written byte by byte: what no JWT library would sign. Beside test/plugin/ticket/ticket.test.ts.
import assert from 'node:assert/strict'
import { createHmac, createSign, generateKeyPairSync, randomBytes } from 'node:crypto'
import { afterEach, describe, test } from 'node:test'
import { startDjango } from '../plugin/django/start-django.js'
import {
  SECRET,
  optionsFor,
  postLogin,
  present,
  startApp,
  ticketOf,
  until,
  upgrade,
} from '../plugin/start-app.js'

const { pool } = await startDjango()
const app = await startApp(optionsFor(pool))
afterEach(() => until(() => app.slots() === 0, 'every slot'))

type Json = Record<string, unknown>

const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const unpack = (text = ''): Json => JSON.parse(Buffer.from(text, 'base64url').toString()) as Json

/** HMAC under whatever key and digest, over whatever texts. */
function sign(
  header: unknown,
  claims: unknown,
  hash = 'sha256',
  key: string | Buffer = SECRET,
): string {
  const body = `${part(header)}.${part(claims)}`
  return `${body}.${createHmac(hash, key).update(body).digest('base64url')}`
}

/** The header and claims of a good ticket that was never used. */
async function good(): Promise<{ header: Json; claims: Json }> {
  const [header, claims] = (await ticketOf(app, 1)).split('.')
  const jti = randomBytes(16).toString('base64url')
  return { header: unpack(header), claims: { ...unpack(claims), jti } }
}

describe('a ticket made by hand', () => {
  test('is taken where nothing is changed: what is refused below is refused for its change', async () => {
    const { header, claims } = await good()
    assert.equal(await present(app, sign(header, claims)), 101)
  })

  test('HS384 and HS512 under the very same secret: 401 (door case 3)', async () => {
    const { header, claims } = await good()
    for (const [alg, hash] of [
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
      ['HS384', 'sha256'],
      ['hs256', 'sha256'],
      ['HS256 ', 'sha256'],
      ['', 'sha256'],
    ] as const) {
      assert.equal(await present(app, sign({ ...header, alg }, claims, hash)), 401, alg)
    }
    assert.equal(await present(app, sign(header, claims)), 101)
  })

  test('RS256, and HS256 with the public key as the secret: 401 (door case 3)', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const { header, claims } = await good()
    const body = `${part({ ...header, alg: 'RS256' })}.${part(claims)}`
    const signature = createSign('sha256').update(body).sign(privateKey).toString('base64url')
    assert.equal(await present(app, `${body}.${signature}`), 401)
    for (const key of [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      publicKey.export({ type: 'pkcs1', format: 'pem' }),
    ]) {
      assert.equal(await present(app, sign(header, claims, 'sha256', key)), 401)
    }
    const jwk = publicKey.export({ format: 'jwk' })
    const k = part('0'.repeat(40))
    for (const more of [
      { jwk },
      { jwk: { kty: 'oct', k } },
      { jku: 'http://127.0.0.1:1/keys' },
      { x5u: 'http://127.0.0.1:1/' },
      { x5c: [k] },
    ]) {
      const key = '0'.repeat(40)
      assert.equal(await present(app, sign({ ...header, ...more }, claims, 'sha256', key)), 401)
    }
  })

  test('a kid that is a list, an object, a path or a query: 401, and the key it names is not used', async () => {
    const { header, claims } = await good()
    const { kid } = header
    for (const other of [
      [kid],
      [[kid]],
      { 0: kid },
      { toString: kid },
      `${String(kid)} `,
      `${String(kid)}\0`,
      '../../../../dev/null',
      'file:///dev/null',
      "' UNION SELECT 'a' --",
      '__proto__',
      'constructor',
      'toString',
      '0',
      'length',
      0,
      true,
      null,
    ]) {
      assert.equal(
        await present(app, sign({ ...header, kid: other }, claims)),
        401,
        JSON.stringify(other),
      )
      // dev/null as a key: the empty secret.
      assert.equal(await present(app, sign({ ...header, kid: other }, claims, 'sha256', '')), 401)
    }
    assert.equal(await present(app, sign(header, claims)), 101)
  })

  test('the year 9999, the future, infinite and negative times: 401', async () => {
    const { header, claims } = await good()
    const now = Date.now() / 1000
    for (const change of [
      { exp: 253_402_300_799 },
      { iat: now + 3600, exp: now + 3630 },
      { iat: 253_402_300_700, exp: 253_402_300_730 },
      { iat: -1, exp: -1 },
      { iat: 0, exp: now + 30 },
      { nbf: now + 3600 },
      { exp: now - 3600 },
    ]) {
      assert.equal(
        await present(app, sign(header, { ...claims, ...change })),
        401,
        JSON.stringify(change),
      )
    }
    // Not said by JSON.stringify.
    const infinite = JSON.stringify(claims).replace(/"exp":[\d.]+/, '"exp":1e999')
    assert.match(infinite, /1e999/)
    assert.equal(await present(app, sign(header, infinite)), 401)
  })

  test('claims twice, of a prototype, or that are no object: no 101, and no 500', async () => {
    const { header, claims } = await good()
    const text = JSON.stringify(claims)
    for (const payload of [
      `{"sub":"1",${text.slice(1)}`.replace('"sub":"6"', '"sub":"7"'),
      JSON.stringify({ claims }),
      `{"__proto__":${text}}`,
      `[${text}]`,
      'null',
      '6',
      '',
      '{',
      `${text} x`,
    ]) {
      assert.equal(await present(app, sign(header, payload)), 401, payload)
    }
    for (const head of ['null', '[]', '{', '{"__proto__":{"alg":"HS256"}}', '""']) {
      assert.equal(await present(app, sign(head, claims)), 401, head)
    }
  })

  test('replayed twelve times in one packet each, all at once: one 101', async () => {
    const { header, claims } = await good()
    const ticket = sign(header, claims)
    const statuses = await Promise.all(Array.from({ length: 12 }, () => present(app, ticket)))
    assert.deepEqual(statuses.sort(), [101, ...Array.from({ length: 11 }, () => 401)])
  })

  test('of one plugin at another with the same secret, another prefix, issuer or audience: 401 (door case 5)', async () => {
    const others = [
      optionsFor(pool, { prefix: '/staging' }),
      optionsFor(pool, { ticket: { secret: SECRET, issuer: 'another' } }),
      optionsFor(pool, { ticket: { secret: SECRET, audience: 'another' } }),
    ]
    for (const options of others) {
      const other = await startApp(options)
      const at = { ...other, url: other.url.replace('/perspective', options.prefix ?? '') }
      const login = await postLogin(at, { username: 'fast1', password: 'fast password 1' })
      const { ticket } = JSON.parse(login.body) as { ticket: string }
      assert.equal(await present(app, ticket), 401)
      assert.equal(await present(at, await ticketOf(app, 1)), 401)
      // Even if it says that it is of the other's ledger.
      const iid = unpack(ticket.split('.')[1])['iid']
      const { header, claims } = await good()
      assert.equal(await present(at, sign(header, { ...claims, iid })), 401)
    }
  })

  test('a ticket as a password, in a query, a cookie or a header opens nothing', async () => {
    const ticket = await ticketOf(app, 1)
    const { status } = await postLogin(app, { username: 'fast1', password: ticket })
    assert.equal(status, 401)
    for (const [query, headers] of [
      [`?ticket=${ticket}`, {}],
      ['', { cookie: `ticket=${ticket}` }],
      ['', { authorization: `Bearer ${ticket}` }],
    ] as const) {
      const answer = await upgrade({ url: app.url }, 'x', headers)
      answer.socket.destroy()
      assert.equal(answer.status, 401)
      const asked = await fetch(`${app.url}/socket${query}`, { headers })
      assert.equal(asked.status, 426)
    }
    assert.equal(await present(app, ticket), 101)
  })
})
