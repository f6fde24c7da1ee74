// Keys with names, and pairs of which each service has one half.
import assert from 'node:assert/strict'
import { type KeyObject, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { SignJWT, decodeJwt, decodeProtectedHeader } from 'jose'
import { startDjango } from '../django/start-django.js'
import { logIn, renew } from '../renewals.js'
import { sharedLedger } from '../shared-ledger.js'
import {
  type TestApp,
  ask,
  openRaw,
  optionsFor,
  present,
  startApp,
  ticketOf,
  until,
} from '../start-app.js'

const { pool } = await startDjango()
const BINDING = 'a binding secret of the tests, 32 bytes'
const K1 = 'the first secret of a rotation, long'
const K2 = 'the second secret of a rotation, long'

const start = (ticket: object): Promise<TestApp> => startApp(optionsFor(pool, { ticket }))

const pairs = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
}
const pem = (key: KeyObject): string =>
  key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }).toString()
const FORMS = {
  'a PEM': pem,
  'a JWK': (key: KeyObject) => key.export({ format: 'jwk' }),
  'a KeyObject': (key: KeyObject) => key,
}

/** Tickets are refused until the clocks' difference is over: nothing that was used before the start can come. */
const settled = (app: TestApp, startedAt: number): Promise<void> =>
  until(() => performance.now() > startedAt + 5100, `${app.url} to settle`)

// At once: each waits for seconds, and for nobody else.
describe('one service mints, another admits', { concurrency: true }, () => {
  for (const alg of ['ES256', 'EdDSA'] as const) {
    for (const [form, as] of Object.entries(FORMS)) {
      test(`${alg}, of which each has its half as ${form}`, async () => {
        const { privateKey, publicKey } = pairs[alg]
        const admits = await start({
          keys: [{ kid: 'pair', alg, use: 'admit', publicKey: as(publicKey) }],
          bindingSecret: BINDING,
        })
        const startedAt = performance.now()
        const mints = await start({
          keys: [{ kid: 'pair', alg, use: 'mint', privateKey: as(privateKey) }],
          bindingSecret: BINDING,
        })
        const early = await ticketOf(mints, 1)
        assert.deepEqual(decodeProtectedHeader(early), { alg, typ: 'pb-ticket+jwt', kid: 'pair' })
        assert.equal(await present(admits, early), 401, 'it may have been used before the start')
        await settled(admits, startedAt)
        const ticket = await ticketOf(mints, 1)
        const session = await openRaw(admits, ticket)
        assert.doesNotMatch(await session.frame('"fast1"'), /renewal/)
        assert.equal(await present(admits, ticket), 401, 'used')
        assert.equal(await present(admits, early), 401, 'from before the start')
        session.socket.terminate()
        for (const route of ['login', 'renew', 'logout']) {
          const { status } = await ask(`${admits.url}/${route}`, { method: 'POST' })
          assert.equal(status, 404, route)
        }
        assert.equal(await present(mints, await ticketOf(mints, 1)), 101, 'it admits its own')
      })
    }
  }

  test('another pair, another binding, a public key as a secret: 401 (door case 3)', async () => {
    const { privateKey, publicKey } = pairs.EdDSA
    const ledger = sharedLedger()
    const key = { kid: 'pair', alg: 'EdDSA', use: 'admit', publicKey }
    const admits = await start({ keys: [key], bindingSecret: BINDING, ledger })
    const mintWith = (other: object, bindingSecret = BINDING): Promise<TestApp> =>
      start({
        keys: [{ kid: 'pair', alg: 'EdDSA', use: 'mint', privateKey, ...other }],
        bindingSecret,
        ledger,
      })
    const good = await mintWith({})
    const ticket = await ticketOf(good, 1)
    for (const other of [
      await mintWith({ privateKey: generateKeyPairSync('ed25519').privateKey }),
      await mintWith({ kid: 'other' }),
      await mintWith({ alg: 'ES256', privateKey: pairs.ES256.privateKey }),
      await mintWith({}, `${BINDING} another`),
    ]) {
      assert.equal(await present(admits, await ticketOf(other, 1)), 401)
    }
    const claims = { ...decodeJwt(ticket), jti: 'confused' }
    for (const secret of [pem(publicKey), JSON.stringify(publicKey.export({ format: 'jwk' }))]) {
      const forged = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'pb-ticket+jwt', kid: 'pair' })
        .sign(Buffer.from(secret))
      assert.equal(await present(admits, forged), 401)
    }
    assert.equal(await present(admits, ticket), 101)
  })

  test('each key is for its one algorithm, beside keys of another (door case 3)', async () => {
    const { privateKey, publicKey } = pairs.EdDSA
    const app = await start({
      keys: [
        { kid: 'pair', alg: 'EdDSA', use: 'mint', privateKey },
        { kid: 'secret', alg: 'HS256', use: 'admit', secret: K1 },
      ],
      bindingSecret: BINDING,
    })
    const claims = (): object => ({ ...decodeJwt(ticket), jti: String(Math.random()) })
    const ticket = await ticketOf(app, 1)
    const sign = (alg: string, kid: string, key: KeyObject | Uint8Array): Promise<string> =>
      new SignJWT({ ...claims() }).setProtectedHeader({ alg, typ: 'pb-ticket+jwt', kid }).sign(key)
    const bytes = Buffer.from(K1)
    assert.equal(await present(app, await sign('HS256', 'secret', bytes)), 101)
    assert.equal(await present(app, await sign('EdDSA', 'pair', privateKey)), 101)
    assert.equal(await present(app, await sign('HS256', 'pair', bytes)), 401)
    assert.equal(await present(app, await sign('HS256', 'pair', Buffer.from(pem(publicKey)))), 401)
    assert.equal(await present(app, await sign('EdDSA', 'secret', privateKey)), 401)
    for (const kid of [
      '__proto__',
      'constructor',
      '',
      "'; DROP TABLE auth_user; --",
      'x'.repeat(300),
    ]) {
      assert.equal(await present(app, await sign('HS256', kid, bytes)), 401, kid.slice(0, 20))
    }
  })
})

describe('keys with names', () => {
  test('k1 mints; k2 mints and k1 admits; k1 is gone: its tickets and renewals with it (door case 8)', async () => {
    const ledger = sharedLedger()
    const key = (kid: string, secret: string, use: string) => ({ kid, alg: 'HS256', use, secret })
    const [before, during, gone] = [
      await start({ keys: [key('k1', K1, 'mint')], ledger }),
      await start({ keys: [key('k1', K1, 'admit'), key('k2', K2, 'mint')], ledger }),
      await start({ keys: [key('k2', K2, 'mint')], ledger }),
    ]
    assert.equal(decodeProtectedHeader(await ticketOf(before, 1)).kid, 'k1')
    assert.equal(decodeProtectedHeader(await ticketOf(during, 1)).kid, 'k2')
    assert.equal(await present(during, await ticketOf(before, 1)), 101)
    assert.equal(await present(during, await ticketOf(during, 1)), 101)
    assert.equal(await present(gone, await ticketOf(before, 1)), 401)
    assert.equal(await present(gone, await ticketOf(during, 1)), 101)
    const { renewal } = await logIn(before, 1)
    assert.equal((await renew(during, renewal)).status, 200)
    assert.equal((await renew(gone, renewal)).status, 401)
  })
})
