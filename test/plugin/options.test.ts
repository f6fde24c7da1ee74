// Wrong options fail at `register`, with an error that names the option, what was expected and what came.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import Fastify from 'fastify'
import perspective from 'fastify-perspective'
import { PAGE, SECRET, TestRealm, optionsFor } from './start-app.js'

const DATABASE = 'postgres://nobody:hunter2@127.0.0.1:1/none'
const site = { secretKeys: ['the sesame of Django'] }
const HASHES = 'allowPasswordEquivalentHashes'
const checker = { name: 'otp', types: ['otp'], check: async () => null, load: async () => null }

async function registerWith(options: object): Promise<unknown> {
  const app = Fastify()
  try {
    await app.register(perspective, { ...optionsFor(DATABASE), ...options } as never)
    await app.ready()
    return null
  } catch (error) {
    return error
  } finally {
    await app.close()
  }
}

/** Option as it is given, and what the message must have: name, expected, got. */
const WRONG: [object, string, string, string][] = [
  [{ database: undefined }, 'database', 'DATABASE_URL', 'undefined'],
  [{ database: null }, 'database', 'connection string', 'null'],
  [{ database: '' }, 'database', 'connection string', 'an empty string'],
  [{ database: 5 }, 'database', 'connection string', 'number'],
  [{ database: {} }, 'database', 'connection string', 'object'],
  [{ ticket: undefined }, 'ticket', 'secret', 'undefined'],
  [{ ticket: 'text' }, 'ticket', 'secret', 'string'],
  [{ ticket: {} }, 'ticket.secret', '32 bytes', 'undefined'],
  [{ ticket: { secret: undefined } }, 'ticket.secret', '32 bytes', 'undefined'],
  [{ ticket: { secret: null } }, 'ticket.secret', '32 bytes', 'null'],
  [{ ticket: { secret: [] } }, 'ticket.secret', 'a secret', 'an array'],
  [{ ticket: { secret: 'sesame'.repeat(5) } }, 'ticket.secret', '32 bytes', '30 bytes'],
  [{ ticket: { secret: [SECRET, 'sesame'] } }, 'ticket.secret[1]', '32 bytes', '6 bytes'],
  [{ ticket: { secret: 'x'.repeat(64) } }, 'ticket.secret', '32 bytes', 'one character repeated'],
  [{ ticket: { secret: SECRET, lifetimeSeconds: 61 } }, 'ticket.lifetimeSeconds', '1 to 60', '61'],
  [{ ticket: { secret: SECRET, lifetimeSeconds: 0 } }, 'ticket.lifetimeSeconds', '1 to 60', '0'],
  [
    { ticket: { secret: SECRET, lifetimeSeconds: '30' } },
    'ticket.lifetimeSeconds',
    '1 to 60',
    'string',
  ],
  [
    { ticket: { secret: SECRET, lifetimeSeconds: NaN } },
    'ticket.lifetimeSeconds',
    '1 to 60',
    'NaN',
  ],
  [{ ticket: { secret: SECRET, issuer: '' } }, 'ticket.issuer', 'text', 'an empty string'],
  [{ ticket: { secret: SECRET, audience: ['a'] } }, 'ticket.audience', 'text', 'an array'],
  [{ ticket: { secret: SECRET, lifetime: 30 } }, 'ticket.lifetime', 'lifetimeSeconds', 'unknown'],
  [{ allowedOrigins: undefined }, 'allowedOrigins', 'a list', 'undefined'],
  [{ allowedOrigins: PAGE }, 'allowedOrigins', 'a list', 'string'],
  [{ allowedOrigins: ['*'] }, 'allowedOrigins[0]', 'scheme, host and port', '"*"'],
  [
    { allowedOrigins: [PAGE, 'https://*.example'] },
    'allowedOrigins[1]',
    'no *',
    '"https://*.example"',
  ],
  [{ allowedOrigins: ['page.example'] }, 'allowedOrigins[0]', 'scheme', '"page.example"'],
  [{ allowedOrigins: ['https://a:b@page.example'] }, 'allowedOrigins[0]', 'scheme', 'string'],
  [{ allowedOrigins: [''] }, 'allowedOrigins[0]', 'scheme', 'an empty string'],
  [{ allowedOrigins: ['null'] }, 'allowedOrigins[0]', 'scheme', '"null"'],
  [{ allowedOrigins: ['https://page.example/path'] }, 'allowedOrigins[0]', 'no path', '/path"'],
  [{ allowedOrigins: ['file:///x'] }, 'allowedOrigins[0]', 'scheme', '"file:///x"'],
  [{ allowedOrigins: [/page/] }, 'allowedOrigins[0]', 'scheme', 'object'],
  [{ realm: undefined }, 'realm', 'a function', 'undefined'],
  [{ realm: { requestAvatar: TestRealm } }, 'realm', 'a function', 'object'],
  [{ prefix: 'perspective' }, 'prefix', 'a slash', '"perspective"'],
  [{ prefix: '/:id' }, 'prefix', 'a slash', '"/:id"'],
  [{ prefix: '/a/*' }, 'prefix', 'a slash', '"/a/*"'],
  [{ prefix: 5 }, 'prefix', 'a slash', 'number'],
  [{ checkers: {} }, 'checkers', 'a list', 'object'],
  [{ checkers: [null] }, 'checkers[0]', 'an object', 'null'],
  [{ checkers: [{ ...checker, name: 'django' }] }, 'checkers[0].name', 'of its own', 'string'],
  [{ checkers: [{ ...checker, name: 'a:b' }] }, 'checkers[0].name', 'without ":"', 'string'],
  [{ checkers: [checker, checker] }, 'checkers[1].name', 'of its own', 'string'],
  [{ checkers: [{ ...checker, types: [] }] }, 'checkers[0].types', 'a list', 'an array'],
  [{ checkers: [{ ...checker, types: ['password'] }] }, 'checkers[0].types', 'no other', 'string'],
  [{ checkers: [{ ...checker, load: undefined }] }, 'checkers[0].load', 'a function', 'undefined'],
  [{ checkers: [{ ...checker, check: 1 }] }, 'checkers[0].check', 'a function', 'number'],
  [
    { checkers: [{ ...checker, accountName: 'x' }] },
    'checkers[0].accountName',
    'a function',
    'string',
  ],
  [
    { checkers: [{ ...checker, revalidate: true }] },
    'checkers[0].revalidate',
    'a function',
    'boolean',
  ],
  [
    { checkers: [{ ...checker, permissionsOf: [] }] },
    'checkers[0].permissionsOf',
    'a function',
    'an array',
  ],
  [{ passwordIterations: 0 }, 'passwordIterations', '1 to', '0'],
  [{ passwordIterations: 1.5 }, 'passwordIterations', '1 to', '1.5'],
  [{ updateLastLogin: 'yes' }, 'updateLastLogin', 'true or false', 'string'],
  [{ upgradePasswords: 1 }, 'upgradePasswords', 'true or false', 'number'],
  [{ upgradePasswords: true, hashers: ['md5'] }, 'upgradePasswords', 'first in hashers', 'md5'],
  [{ loginHooks: null }, 'loginHooks', 'beforeCheck', 'null'],
  [{ loginHooks: { after: 1 } }, 'loginHooks.after', 'succeeded', 'unknown'],
  [{ loginHooks: { failed: {} } }, 'loginHooks.failed', 'a function', 'object'],
  [{ sessions: { perUser: 0 } }, 'sessions.perUser', '1 to', '0'],
  [{ sessions: { total: Infinity } }, 'sessions.total', '1 to', 'Infinity'],
  [{ sessions: { max: 5 } }, 'sessions.max', 'perUser, total', 'unknown'],
  [{ sessions: 5 }, 'sessions', 'an object', 'number'],
  [{ anonymous: 'yes' }, 'anonymous', 'true or false', 'string'],
  [{ allowPasswordEquivalentHashes: 1 }, HASHES, 'true, false', 'number'],
  [{ allowPasswordEquivalentHashes: {} }, `${HASHES}.saltSecret`, '32 bytes', 'undefined'],
  [{ [HASHES]: { saltSecret: 'sesame' } }, `${HASHES}.saltSecret`, '32 bytes', 'string'],
  [{ [HASHES]: { salt: 'x' } }, `${HASHES}.salt`, 'saltSecret', 'unknown'],
  [{ [HASHES]: true, hashers: ['md5'] }, HASHES, 'pbkdf2_sha256', 'others'],
  [{ djangoSessions: true }, 'djangoSessions', '{ secretKeys', 'boolean'],
  [{ djangoSessions: null }, 'djangoSessions', '{ secretKeys', 'null'],
  [{ djangoSessions: {} }, 'djangoSessions.secretKeys', 'SECRET_KEY_FALLBACKS', 'undefined'],
  [{ djangoSessions: { secretKeys: [''] } }, 'djangoSessions.secretKeys[0]', 'a S', 'an empty'],
  [{ djangoSessions: { ...site, engine: 'file' } }, 'djangoSessions.engine', 'one of', 'string'],
  [{ djangoSessions: { ...site, table: '' } }, 'djangoSessions.table', 'quote', 'an empty'],
  [
    { djangoSessions: { ...site, maxAgeSeconds: 5 } },
    'djangoSessions.maxAgeSeconds',
    'none',
    'number',
  ],
  [
    { djangoSessions: { ...site, cookieName: 'a b' } },
    'djangoSessions.cookieName',
    'the',
    'string',
  ],
  [{ djangoSessions: { ...site, cookieName: '' } }, 'djangoSessions.cookieName', 'the', 'an empty'],
  [{ djangoSessions: { ...site, backends: [] } }, 'djangoSessions.backends', 'a list', 'an array'],
  [{ djangoSessions: { ...site, backends: [5] } }, 'djangoSessions.backends', 'a list', 'an array'],
  [
    { djangoSessions: { ...site, secretKey: 'x' } },
    'djangoSessions.secretKey',
    'one of',
    'unknown',
  ],
  [{ checkers: [{ ...checker, name: 'anonymous' }] }, 'checkers[0].name', 'of its own', 'string'],
  [{ checkers: [{ ...checker, types: ['anonymous'] }] }, 'checkers[0].types', 'no other', 'string'],
  [{ sessions: null }, 'sessions', 'an object', 'null'],
  [{ sessions: { revalidateSeconds: 0 } }, 'sessions.revalidateSeconds', '0.1 to 3600', '0'],
  [{ sessions: { revalidateSeconds: 3601 } }, 'sessions.revalidateSeconds', '0.1 to', '3601'],
  [{ sessions: { graceSeconds: -1 } }, 'sessions.graceSeconds', '0 to 86400', '-1'],
  [{ sessions: { graceSeconds: NaN } }, 'sessions.graceSeconds', '0 to 86400', 'NaN'],
  [{ sessions: { maxAgeSeconds: 0.5 } }, 'sessions.maxAgeSeconds', '1 to 31536000', '0.5'],
  [{ sessions: { heartbeatSeconds: '25' } }, 'sessions.heartbeatSeconds', '0.1 to', 'string'],
  [{ sessions: { listen: 'yes' } }, 'sessions.listen', 'true or false', 'string'],
  [{ rateLimits: { addressPerMinute: '60' } }, 'rateLimits.addressPerMinute', '1 to', 'string'],
  [{ rateLimits: { perMinute: 1 } }, 'rateLimits.perMinute', 'addressPerMinute', 'unknown'],
  [{ rateLimits: null }, 'rateLimits', 'an object', 'null'],
  [{ limits: { maxDepth: 0 } }, 'limits.maxDepth', '1 to', '0'],
  [{ limits: { depth: 1 } }, 'limits.depth', 'maxDepth', 'unknown'],
  [{ limits: null }, 'limits', 'an object', 'null'],
  [{ limits: 5 }, 'limits', 'an object', 'number'],
  [{ users: { table: 'a.b.c' } }, 'users.table', 'table', 'string'],
  [{ users: 5 }, 'users', 'an object', 'number'],
  [{ users: { tables: 'x' } }, 'users.tables', 'table', 'unknown'],
  [{ origins: [] }, 'origins', 'allowedOrigins', 'unknown'],
]

describe('a wrong option fails at register, by name, expected and got', () => {
  for (const [option, name, expected, got] of WRONG) {
    test(`${name}: ${got}`, async () => {
      const error = await registerWith(option)
      assert.ok(error instanceof Error, 'it was taken')
      assert.equal((error as Error & { code?: string }).code, 'PB_ERR_OPT_INVALID', error.message)
      assert.ok(error.message.startsWith(`option ${name}: expected `), error.message)
      const [before = '', after = ''] = error.message.split(', got ')
      assert.ok(before.includes(expected) && after.includes(got), error.message)
      // Neither a secret nor a connection string is ever printed (door case 13).
      assert.doesNotMatch(
        error.message + String(error.stack),
        /sesame|xxxx|hunter2|a secret of the tests/,
      )
    })
  }

  test('a secret of 31 bytes fails, one of 32 is taken; bytes are counted, not characters (door case 13)', async () => {
    const secrets = ['0123456789abcdef0123456789abcde', 'é'.repeat(15) + 'x']
    for (const secret of secrets) assert.ok(await registerWith({ ticket: { secret } }))
    for (const secret of ['0123456789abcdef0123456789abcdef', 'éè'.repeat(8)]) {
      assert.equal(await registerWith({ ticket: { secret } }), null)
    }
  })

  test('what is left out, or undefined, has a default', async () => {
    for (const option of [
      ...['updateLastLogin', 'upgradePasswords', 'loginHooks'],
      ...['prefix', 'checkers', 'passwordIterations', 'sessions', 'rateLimits', 'limits', 'users'],
      ...['anonymous', 'djangoSessions', 'allowPasswordEquivalentHashes'],
    ]) {
      assert.equal(await registerWith({ [option]: undefined }), null, option)
    }
    for (const part of ['sessions', 'rateLimits', 'limits']) {
      assert.equal(await registerWith({ [part]: {} }), null)
    }
    assert.equal(await registerWith({ limits: { maxDepth: undefined } }), null)
    assert.equal(await registerWith({ logLevel: 'warn' }), null)
    assert.equal(await registerWith({ checkers: [checker] }), null)
    assert.equal(await registerWith({ allowedOrigins: ['HTTPS://Page.Example:443/'] }), null)
  })
})
