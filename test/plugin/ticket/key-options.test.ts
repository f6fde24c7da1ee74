// The options `ticket.keys`, `bindingSecret` and `ledger`: what is wrong with them is said at register, and never a key.
import assert from 'node:assert/strict'
import { type KeyObject, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import Fastify from 'fastify'
import perspective, { type TicketKey } from 'fastify-perspective'
import { readTicketOption } from '../../../dist/plugin/ticket/ticket-options.js'
import { optionsFor } from '../start-app.js'

const BINDING = 'a binding secret of the tests, 32 bytes'
const K1 = 'the first secret of a rotation, long'
const K2 = 'the second secret of a rotation, long'
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = (key: KeyObject): string =>
  key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }).toString()
const HS: TicketKey = { kid: 'k1', alg: 'HS256', use: 'mint', secret: K1 }
const PAIR = { kid: 'p', alg: 'EdDSA', use: 'mint', privateKey } as const
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** Option as it is given, and what the message must have: name, expected, got. */
const WRONG: [object, string, string, string][] = [
  [{ keys: [] }, 'ticket.keys', 'a list', 'an array'],
  [{ keys: {} }, 'ticket.keys', 'a list', 'object'],
  [{ keys: [null] }, 'ticket.keys[0]', '{ kid', 'null'],
  [{ keys: [HS], secret: K1 }, 'ticket.secret', 'either', 'both'],
  [{ secret: K1, bindingSecret: BINDING }, 'ticket.bindingSecret', 'ticket.keys', 'string'],
  [{ keys: [{ ...HS, kid: 5 }] }, 'ticket.keys[0].kid', 'a text', 'number'],
  [{ keys: [{ ...HS, kid: ['k1'] }] }, 'ticket.keys[0].kid', 'a text', 'an array'],
  [{ keys: [{ ...HS, kid: '' }] }, 'ticket.keys[0].kid', 'a text', 'an empty string'],
  [{ keys: [HS, { ...HS, use: 'admit' }] }, 'ticket.keys[1].kid', 'no other', 'twice'],
  [{ keys: [HS, { ...HS, kid: 'k2' }] }, 'ticket.keys', 'one key that mints', 'several'],
  [{ keys: [{ ...HS, use: 'sign' }] }, 'ticket.keys[0].use', '"mint" or "admit"', 'string'],
  [{ keys: [{ ...HS, alg: 'HS512' }] }, 'ticket.keys[0].alg', '"HS256"', 'string'],
  [{ keys: [{ ...HS, alg: ['HS256', 'HS512'] }] }, 'ticket.keys[0].alg', '"HS256"', 'an array'],
  [{ keys: [{ ...HS, alg: 'none' }] }, 'ticket.keys[0].alg', '"HS256"', 'string'],
  [{ keys: [{ ...HS, secret: 'sesame' }] }, 'ticket.keys[0].secret', '32 bytes', '6 bytes'],
  [{ keys: [{ ...HS, secret: undefined }] }, 'ticket.keys[0].secret', '32 bytes', 'undefined'],
  [{ keys: [{ ...HS, publicKey }] }, 'ticket.keys[0].publicKey', 'only secret', 'object'],
  [{ keys: [{ ...HS, key: 'x' }] }, 'ticket.keys[0].key', 'kid', 'unknown'],
  [{ keys: [PAIR] }, 'ticket.bindingSecret', '32 bytes', 'undefined'],
  [{ keys: [PAIR], bindingSecret: 'sesame' }, 'ticket.bindingSecret', '32 bytes', '6 bytes'],
  [{ keys: [{ ...PAIR, secret: K1 }] }, 'ticket.keys[0].secret', 'only privateKey', 'string'],
  [
    { keys: [{ ...PAIR, privateKey: undefined }] },
    'ticket.keys[0].privateKey',
    'the private',
    'undefined',
  ],
  [{ keys: [{ ...PAIR, privateKey: 'sesame' }] }, 'ticket.keys[0].privateKey', 'PEM', 'string'],
  [
    { keys: [{ ...PAIR, privateKey: publicKey }] },
    'ticket.keys[0].privateKey',
    'private',
    'a public key',
  ],
  [
    { keys: [{ ...PAIR, privateKey: pem(publicKey) }] },
    'ticket.keys[0].privateKey',
    'private',
    'a public key',
  ],
  [
    { keys: [{ ...PAIR, privateKey: rsa.privateKey }] },
    'ticket.keys[0].privateKey',
    'ed25519',
    'rsa',
  ],
  [
    { keys: [{ ...PAIR, privateKey: p256.privateKey }] },
    'ticket.keys[0].privateKey',
    'ed25519',
    'prime256v1',
  ],
  [{ keys: [{ ...PAIR, use: 'admit' }] }, 'ticket.keys[0].privateKey', 'only publicKey', 'object'],
  [
    { keys: [{ ...PAIR, use: 'admit', privateKey: undefined, publicKey: pem(privateKey) }] },
    ...(['ticket.keys[0].publicKey', 'the public key', 'a private key'] as const),
  ],
  [
    {
      keys: [
        {
          ...PAIR,
          use: 'admit',
          privateKey: undefined,
          publicKey: privateKey.export({ format: 'jwk' }),
        },
      ],
    },
    ...(['ticket.keys[0].publicKey', 'the public key', 'a private key'] as const),
  ],
  [{ secret: K1, ledger: {} }, 'ticket.ledger', 'id', 'object'],
  [{ secret: K1, ledger: null }, 'ticket.ledger', 'id', 'null'],
  [{ secret: K1, ledger: { id: '', use: () => true } }, 'ticket.ledger', 'id', 'object'],
]

describe('wrong keys fail at register, by name, expected and got (door case 13)', () => {
  for (const [ticket, name, expected, got] of WRONG) {
    test(`${name}: ${got}`, async () => {
      const app = Fastify()
      const error = await Promise.resolve(
        app.register(perspective, optionsFor('postgres://x@127.0.0.1:1/x', { ticket })),
      ).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      await app.close().catch(() => undefined)
      assert.ok(error instanceof Error, 'it was taken')
      assert.equal((error as Error & { code?: string }).code, 'PB_ERR_OPT_INVALID', error.message)
      assert.ok(error.message.startsWith(`option ${name}: expected `), error.message)
      const [before = '', after = ''] = error.message.split(', got ')
      assert.ok(before.includes(expected) && after.includes(got), error.message)
      assert.doesNotMatch(error.message + String(error.stack), /sesame|of a rotation|BEGIN|MC4C/)
    })
  }

  test("Django's SECRET_KEY is none of ours, wherever it is given", () => {
    const django = 'django-insecure-and-long-enough-to-be-one'
    for (const [ticket, name] of [
      [{ secret: django }, 'ticket.secret'],
      [{ secret: [K1, django] }, 'ticket.secret'],
      [{ keys: [{ ...HS, secret: django }] }, 'ticket.keys[0].secret'],
      [{ keys: [HS], bindingSecret: django }, 'ticket.bindingSecret'],
    ] as const) {
      assert.throws(
        () => readTicketOption(ticket, '', [K2, django]),
        (error: Error) => {
          assert.ok(error.message.startsWith(`option ${name}: expected `), error.message)
          assert.doesNotMatch(error.message, /insecure/)
          return true
        },
      )
      assert.ok(readTicketOption(ticket, '', undefined))
    }
  })
})
