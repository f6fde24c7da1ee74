import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { afterEach, describe, test } from 'node:test'
import { SignJWT, UnsecuredJWT, decodeJwt, decodeProtectedHeader } from 'jose'
import { startDjango } from '../django/start-django.js'
import {
  SECRET,
  type TestApp,
  optionsFor,
  postLogin,
  present,
  startApp,
  ticketOf,
  until,
} from '../start-app.js'

const { pool } = await startDjango()
const app = await startApp(optionsFor(pool))
afterEach(() => until(() => app.slots() === 0, 'every slot'))

const KEY = Buffer.from(SECRET)

interface Forgery {
  readonly header?: object
  readonly claims?: object
  readonly key?: Uint8Array
  readonly drop?: string
}

/** A ticket like a good one, signed anew with a new `jti`, and with what is to be tried. */
async function forge({ header, claims, key = KEY, drop }: Forgery): Promise<string> {
  const good = await ticketOf(app, 1)
  const payload: Record<string, unknown> = {
    ...decodeJwt(good),
    jti: randomBytes(16).toString('base64url'),
    ...claims,
  }
  const kept = Object.entries(payload).filter(([name]) => name !== drop)
  return new SignJWT(Object.fromEntries(kept))
    .setProtectedHeader({ ...decodeProtectedHeader(good), ...header } as never)
    .sign(key)
}

const seconds = (offset: number): number => Date.now() / 1000 + offset
const aged = (age: number, lifetime = 30): object => ({
  iat: seconds(-age),
  exp: seconds(lifetime - age),
})

describe('a ticket', () => {
  test('says what is needed, and nothing of the person', async () => {
    const ticket = await ticketOf(app, 1)
    const { alg, typ, kid, ...others } = decodeProtectedHeader(ticket)
    assert.deepEqual([alg, typ, typeof kid, others], ['HS256', 'pb-ticket+jwt', 'string', {}])
    const claims = decodeJwt(ticket)
    assert.deepEqual(Object.keys(claims).sort(), [
      ...['aud', 'aut', 'chk', 'exp', 'fam', 'iat', 'iid', 'iss', 'jti', 'org', 'rj', 'sub'],
      'ver',
    ])
    assert.equal(claims.sub, '6')
    assert.equal(claims.aud, 'perspective:/perspective')
    assert.equal(claims.iss, 'fastify-perspective')
    assert.ok(Math.abs((claims.exp ?? 0) - (claims.iat ?? 0) - 30) < 0.01)
    assert.doesNotMatch(JSON.stringify(claims), /fast1|pbkdf2/)
  })

  test('forged with the right key and nothing changed is taken: the forgeries below are good ones', async () => {
    assert.equal(await present(app, await forge({})), 101)
  })

  test('used twice: 401 (door case 1)', async () => {
    const ticket = await ticketOf(app, 1)
    assert.equal(await present(app, ticket), 101)
    assert.equal(await present(app, ticket), 401)
  })

  test('used by many in the same millisecond: one 101, the others 401 (door case 1)', async () => {
    const ticket = await ticketOf(app, 1)
    const all = await Promise.all(Array.from({ length: 8 }, () => present(app, ticket)))
    assert.deepEqual(all.sort(), [101, ...Array.from({ length: 7 }, () => 401)])
  })

  test('its text is malleable, its use is not: other last letters, padding, line ends (door hole 10)', async () => {
    const ticket = await ticketOf(app, 1)
    assert.equal(await present(app, ticket), 101)
    const last = ticket.at(-1) ?? ''
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const index = alphabet.indexOf(last)
    for (const other of [index ^ 1, index ^ 2, index ^ 3]) {
      assert.equal(await present(app, ticket.slice(0, -1) + (alphabet[other] ?? '')), 401)
    }
    for (const text of [`${ticket}=`, `${ticket}==`, `${ticket}.`, ` ${ticket}`]) {
      assert.ok((await present(app, text)) >= 400, 'padding')
    }
  })

  test('expired by 4 s is taken, by 6 s not (door case 11)', async () => {
    assert.equal(await present(app, await forge({ claims: aged(34) })), 101)
    assert.equal(await present(app, await forge({ claims: aged(36.1) })), 401)
  })

  test('times that no ticket of ours has: 401 (door hole 10)', async () => {
    const wrong = [
      aged(0, 60),
      { exp: seconds(3e9) },
      { iat: seconds(60), exp: seconds(90) },
      { iat: seconds(-3600) },
      { iat: String(seconds(0)) },
      { exp: null },
    ]
    for (const claims of wrong) {
      assert.equal(await present(app, await forge({ claims })), 401, JSON.stringify(claims))
    }
  })

  test('without one of its claims, or with one of another kind: 401', async () => {
    for (const drop of [
      ...['iss', 'aud', 'sub', 'chk', 'jti', 'ver', 'org', 'iid', 'iat', 'exp', 'fam', 'rj', 'aut'],
    ]) {
      assert.equal(await present(app, await forge({ drop })), 401, drop)
    }
    for (const name of ['sub', 'chk', 'jti', 'ver', 'org', 'iid', 'fam', 'rj', 'aut']) {
      for (const value of [name === 'aut' ? '6' : 6, null, ['6'], { $ne: '' }, true]) {
        assert.equal(await present(app, await forge({ claims: { [name]: value } })), 401, name)
      }
    }
  })

  test('of another audience, issuer or type; the audience in a list: 401 (door case 5, door case 6)', async () => {
    for (const claims of [
      { aud: 'perspective:/other' },
      { aud: ['perspective:/perspective'] },
      { aud: ['perspective:/perspective', 'x'] },
      { iss: 'https://evil.example' },
      { iss: ['fastify-perspective'] },
    ]) {
      assert.equal(await present(app, await forge({ claims })), 401, JSON.stringify(claims))
    }
    for (const typ of ['JWT', 'pb-renewal+jwt', undefined, '']) {
      assert.equal(await present(app, await forge({ header: { typ } })), 401, String(typ))
    }
  })

  test('of no algorithm, or another under the same secret: 401 (door case 3)', async () => {
    const claims = decodeJwt(await ticketOf(app, 1))
    const unsecured = new UnsecuredJWT(claims).encode()
    assert.equal(await present(app, unsecured), 400 + 1)
    for (const alg of ['none', 'None', 'nOnE']) {
      const { kid } = decodeProtectedHeader(await ticketOf(app, 1))
      const header = Buffer.from(JSON.stringify({ alg, typ: 'pb-ticket+jwt', kid }))
      const body = Buffer.from(JSON.stringify(claims)).toString('base64url')
      for (const signature of ['', 'AA']) {
        assert.equal(
          await present(app, `${header.toString('base64url')}.${body}.${signature}`),
          401,
          alg,
        )
      }
    }
    // Longer digests need longer keys in jose; the secret twice is another key, and refused as that.
    const long = Buffer.concat([KEY, KEY])
    for (const alg of ['HS384', 'HS512']) {
      assert.equal(await present(app, await forge({ header: { alg }, key: long })), 401, alg)
    }
    const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
      type: 'spki',
      format: 'pem',
    })
    assert.equal(await present(app, await forge({ key: Buffer.from(pem) })), 401)
  })

  test('by another key, or with a kid that is none of ours: 401', async () => {
    assert.equal(await present(app, await forge({ key: randomBytes(48) })), 401)
    for (const kid of [
      ...['', 'x', '../../dev/null', "' OR 1=1 --", '__proto__', 'constructor', '0', 'toString'],
      ...[undefined, null, 0, ['k'], { toString: 'x' }],
    ]) {
      assert.equal(await present(app, await forge({ header: { kid } })), 401, JSON.stringify(kid))
    }
    for (const header of [
      { crit: ['exp'] },
      { jwk: {}, kid: 'x' },
      { b64: false, crit: ['b64'] },
    ]) {
      const forged = await forge({ header }).catch(() => null)
      if (forged !== null) assert.equal(await present(app, forged), 401, JSON.stringify(header))
    }
  })

  test('of another ledger, as after a restart or of another process: 401 (door hole 9)', async () => {
    const restarted = await startApp(optionsFor(pool))
    const ticket = await ticketOf(app, 1)
    assert.equal(await present(restarted, ticket), 401)
    assert.equal(await present(app, ticket), 101)
  })

  test('for another user, checker or state of the row: 401', async () => {
    for (const claims of [
      ...[
        { sub: '7' },
        { sub: '06' },
        { sub: ' 6' },
        { sub: 'x' },
        { sub: '9'.repeat(30) },
        { sub: '' },
      ],
      ...[{ chk: 'other' }, { chk: '__proto__' }, { ver: 'x' }, { ver: '' }],
    ]) {
      assert.equal(await present(app, await forge({ claims })), 401, JSON.stringify(claims))
    }
  })

  for (const [name, change] of [
    ['password changed', "UPDATE auth_user SET password = password || 'x' WHERE id = 7"],
    ['deactivated', 'UPDATE auth_user SET is_active = false WHERE id = 7'],
    ['renamed', "UPDATE auth_user SET username = 'renamed' WHERE id = 7"],
    ['deleted', 'DELETE FROM auth_user WHERE id = 7'],
  ] as const) {
    test(`user ${name} between login and upgrade: ${name === 'renamed' ? '101' : '401'} (case 62; door case 12)`, async () => {
      const { rows } = await pool.query<Record<string, unknown>>(
        'SELECT * FROM auth_user WHERE id = 7',
      )
      const ticket = await ticketOf(app, 2)
      await pool.query(change)
      assert.equal(await present(app, ticket), name === 'renamed' ? 101 : 401)
      await pool.query('DELETE FROM auth_user WHERE id = 7')
      const columns = Object.keys(rows[0] ?? {})
      await pool.query(
        `INSERT INTO auth_user (${columns.join()}) VALUES (${columns.map((_, index) => `$${String(index + 1)}`).join()})`,
        Object.values(rows[0] ?? {}),
      )
      assert.equal(await present(app, await ticketOf(app, 2)), 101)
    })
  }

  test('a secret is changed by a list: the first signs, all are taken, a gone one is not (door case 8)', async () => {
    const [k1, k2] = [
      'the first secret of a rotation, long',
      'the second secret of a rotation, long',
    ]
    const forgeFor = async (at: TestApp, secret: string, kid: unknown): Promise<string> => {
      const claims = { ...decodeJwt(await ticketOf(at, 1)), jti: randomBytes(9).toString('hex') }
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'pb-ticket+jwt', kid: kid as string })
        .sign(Buffer.from(secret))
    }
    const apps = []
    for (const secret of [k1, [k2, k1], [k2]]) {
      const rotated = await startApp(optionsFor(pool, { ticket: { secret } }))
      apps.push(rotated)
    }
    const [before, during, gone] = apps
    assert.ok(before && during && gone)
    const kid1 = decodeProtectedHeader(await ticketOf(before, 1)).kid
    const kid2 = decodeProtectedHeader(await ticketOf(during, 1)).kid
    assert.notEqual(kid1, kid2)
    assert.equal(kid2, decodeProtectedHeader(await ticketOf(gone, 1)).kid)
    assert.equal(await present(during, await ticketOf(during, 1)), 101)
    assert.equal(await present(during, await forgeFor(during, k1, kid1)), 101, 'the old one')
    assert.equal(await present(during, await forgeFor(during, k1, kid2)), 401, 'crossed')
    assert.equal(await present(gone, await forgeFor(gone, k1, kid1)), 401, 'the one that is gone')
  })

  test('a lifetime of its own is told and kept', async () => {
    const short = await startApp(
      optionsFor(pool, { ticket: { secret: SECRET, lifetimeSeconds: 1 } }),
    )
    const { body } = await postLogin(short, { username: 'fast1', password: 'fast password 1' })
    const { ticket, expiresIn } = JSON.parse(body) as { ticket: string; expiresIn: number }
    assert.equal(expiresIn, 1)
    assert.equal(await present(short, ticket), 101)
  })

  test('no log line at trace has a ticket (door case 26)', () => {
    assert.doesNotMatch(app.logs.join(''), /eyJ|pb-ticket/)
  })
})
