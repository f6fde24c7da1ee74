import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { decodeSession, sessionAuthHash } from 'fastify-perspective/django'
import { decodeBase62, unsign } from '../../../dist/plugin/django/signing.js'

interface SessionVector {
  readonly note: string
  readonly session_data: string
  readonly secret_key: string
  readonly secret_key_fallbacks: readonly string[]
  readonly decoded: unknown
  /** The last Django that reads it; null: all since 3.1. */
  readonly django_until: string | null
}

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/django-sessions.json', import.meta.url), 'utf8'),
) as {
  sessions: readonly SessionVector[]
  signed_cookie_sessions: readonly {
    readonly note: string
    readonly cookie: string
    readonly now: string
    readonly session_cookie_age: number
    readonly secret_key: string
    readonly decoded: object | null
  }[]
  session_auth_hashes: readonly {
    readonly note: string
    readonly password_field: string
    readonly secret_key: string
    readonly sha256: string
  }[]
  timestamp_signer: readonly {
    readonly value: string
    readonly salt: string
    readonly secret_key: string
    readonly time: number
    readonly signed: string
    readonly signed_sha1: string
  }[]
}

const SALT = 'django.contrib.sessions.SessionStore'
const KEY = 'a key of this test'

/** Signs as Django does; the vectors show that this is so. */
function sign(value: string, key: string = KEY, salt: string = SALT): string {
  const derived = createHash('sha256').update(`${salt}signer${key}`).digest()
  return `${value}:${createHmac('sha256', derived).update(value).digest('base64url')}`
}
const pack = (json: string): string => `${Buffer.from(json, 'latin1').toString('base64url')}:1vb5Ae`

const [row] = vectors.sessions
assert.ok(row)
const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

describe('decodeSession', () => {
  for (const { note, decoded, django_until, ...vector } of vectors.sessions) {
    test(`answers as Django for a row (case 63): ${note}`, () => {
      const options = {
        secretKey: vector.secret_key,
        secretKeyFallbacks: vector.secret_key_fallbacks,
      }
      const expected = django_until === null && isObject(decoded) ? decoded : null
      assert.deepEqual(decodeSession(vector.session_data, options), expected)
    })
  }

  for (const { note, cookie, now, ...vector } of vectors.signed_cookie_sessions) {
    test(`answers as Django for a signed cookie: ${note} (case 69)`, () => {
      const options = {
        secretKey: vector.secret_key,
        salt: 'django.contrib.sessions.backends.signed_cookies',
        maxAgeSeconds: vector.session_cookie_age,
        now: Date.parse(now),
      }
      assert.deepEqual(decodeSession(cookie, options), vector.decoded)
      assert.equal(decodeSession(cookie, { secretKey: vector.secret_key }), null)
    })
  }

  test('takes an age of exactly maxAgeSeconds, and not one more (case 69)', () => {
    const signed = sign('e30:z') // 61 seconds after 1970
    const ageOf = (now: number) => decodeSession(signed, { secretKey: KEY, maxAgeSeconds: 10, now })
    assert.deepEqual(ageOf(71_000), {})
    assert.equal(ageOf(71_001), null)
    assert.deepEqual(ageOf(0), {})
    assert.equal(ageOf(Number.NaN), null)
    assert.deepEqual(decodeSession(signed, { secretKey: KEY }), {})
  })

  test('tries the main key, then the fallbacks (case 66)', () => {
    const signed = sign(pack('{"a":1}'), 'old')
    assert.equal(decodeSession(signed, { secretKey: KEY }), null)
    const keys = { secretKey: KEY, secretKeyFallbacks: ['older', 'old'] }
    assert.deepEqual(decodeSession(signed, keys), { a: 1 })
    assert.equal(decodeSession(signed, { secretKey: KEY, secretKeyFallbacks: ['older'] }), null)
  })

  test('takes a key in bytes, and one that is not ASCII (case 71)', () => {
    const signed = sign(pack('{"a":1}'), 'schlüssel')
    assert.deepEqual(decodeSession(signed, { secretKey: 'schlüssel' }), { a: 1 })
    const secretKey = new TextEncoder().encode('schlüssel')
    assert.deepEqual(decodeSession(signed, { secretKey }), { a: 1 })
  })

  test('takes no key for an error of its caller, and shows none', () => {
    for (const secretKey of ['', new Uint8Array(), undefined, 7] as unknown as string[]) {
      assert.throws(() => decodeSession(row.session_data, { secretKey }), {
        code: 'PB_ERR_OPT_INVALID',
      })
      assert.throws(() => sessionAuthHash('x', secretKey), { code: 'PB_ERR_OPT_INVALID' })
    }
    const options = { secretKey: KEY, secretKeyFallbacks: [''] }
    assert.throws(
      () => decodeSession(row.session_data, options),
      (error) => !inspect(error, { depth: 9, showHidden: true }).includes(KEY),
    )
  })

  test('refuses what has been tampered with (case 65)', () => {
    const good = row.session_data
    const options = { secretKey: row.secret_key }
    assert.ok(decodeSession(good, options))
    const tampered = [
      ...[good.toUpperCase(), `${good}a`, `a${good.slice(1)}`, good.replaceAll(':', '')],
      ...[good.replace(':', '::'), ` ${good}`, `${good}\n`, `${good}=`, `${good}\0`, good.slice(1)],
      ...['', ':', '::', ':::', '.', '.::', '\ud800:\ud800:\ud800'],
    ]
    for (const text of tampered) assert.equal(decodeSession(text, options), null, text)
    for (let index = 0; index < good.length; index++) {
      const other = good[index] === 'A' ? 'B' : 'A'
      const text = good.slice(0, index) + other + good.slice(index + 1)
      assert.equal(decodeSession(text, options), null, text)
    }
    for (const none of [null, undefined, 5, {}, [good]] as unknown as string[]) {
      assert.equal(decodeSession(none, options), null)
    }
  })

  test('never throws for a text, signed or not', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(decodeSession(text, { secretKey: KEY }), null)
        const session = decodeSession(sign(text), { secretKey: KEY })
        assert.ok(session === null || isObject(session))
      }),
      { numRuns: 2000 },
    )
  })

  test('refuses what is signed and no session', () => {
    const junk = ['', 'null', '5', '"x"', '[]', '{', '{"x":NaN}', '{"x":Infinity}', '{"a":1}{}']
    for (const json of junk) {
      assert.equal(decodeSession(sign(pack(json)), { secretKey: KEY }), null, json)
    }
    // A timestamp that is none, or no timestamp at all.
    for (const value of ['e30:', 'e30:-', 'e30:1_', 'e30: 1', 'e30']) {
      assert.equal(decodeSession(sign(value), { secretKey: KEY }), null, value)
    }
  })

  test('does not unpack a bomb, nor what is no zlib (case 68)', () => {
    const squeeze = (bytes: string | Buffer): string =>
      sign(`.${deflateSync(bytes, { level: 9 }).toString('base64url')}:1vb5Ae`)
    const fits = `{"a":"${'x'.repeat(4 * 1024 * 1024 - 8)}"}`
    assert.ok(decodeSession(squeeze(fits), { secretKey: KEY }))
    assert.equal(decodeSession(squeeze(`${fits} `), { secretKey: KEY }), null)
    const bomb = squeeze(Buffer.alloc(64 * 1024 * 1024, 0x20))
    assert.equal(decodeSession(bomb, { secretKey: KEY }), null)
    assert.equal(decodeSession(sign('.AAAA:1vb5Ae'), { secretKey: KEY }), null)
    // Cut off in the middle.
    const cut = deflateSync(fits).subarray(0, 40).toString('base64url')
    assert.equal(decodeSession(sign(`.${cut}:1vb5Ae`), { secretKey: KEY }), null)
  })

  test('keeps __proto__ as data (case 75)', () => {
    const signed = sign(pack('{"__proto__":{"isAdmin":true},"a":1}'))
    const session = decodeSession(signed, { secretKey: KEY })
    assert.ok(session)
    assert.equal(session['isAdmin'], undefined)
    assert.equal(Object.getPrototypeOf(session), Object.prototype)
    assert.deepEqual(Object.keys(session), ['__proto__', 'a'])
  })
})

describe('sessionAuthHash', () => {
  for (const { note, password_field, secret_key, sha256 } of vectors.session_auth_hashes) {
    test(`is Django's (case 61): ${note}, key of ${String(secret_key.length)}`, () => {
      assert.equal(sessionAuthHash(password_field, secret_key), sha256)
      assert.equal(sessionAuthHash(password_field, new TextEncoder().encode(secret_key)), sha256)
      assert.notEqual(sessionAuthHash(`${password_field} `, secret_key), sha256)
    })
  }

  test('is what a session of that user has', () => {
    const { session_data, secret_key } = row
    const { password_field } = row as SessionVector & { password_field: string }
    const session = decodeSession(session_data, { secretKey: secret_key })
    assert.equal(session?.['_auth_user_hash'], sessionAuthHash(password_field, secret_key))
  })
})

describe('signing', () => {
  for (const { value, salt, secret_key, time, ...vector } of vectors.timestamp_signer) {
    test(`reads what TimestampSigner has signed: ${value} at ${String(time)}`, () => {
      assert.deepEqual(unsign(vector.signed, salt, [secret_key]), { value, timestamp: time })
      assert.equal(unsign(vector.signed, `${salt}x`, [secret_key]), null)
      assert.equal(unsign(vector.signed_sha1, salt, [secret_key]), null)
    })
  }

  test('reads base62 (case 67)', () => {
    const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    const encode = (number: number): string => {
      let [rest, text] = [Math.abs(number), '']
      for (; rest > 0; rest = Math.floor(rest / 62)) text = `${digits[rest % 62] ?? ''}${text}`
      return number < 0 ? `-${text}` : text || '0'
    }
    const numbers = [-(10 ** 10), 10 ** 10, 1620378259]
    for (let number = -100; number <= 100; number++) numbers.push(number)
    for (const number of numbers) assert.equal(decodeBase62(encode(number)), number)
    for (const text of ['', '-', '--1', '1-', ' 1', '1\n', '+1', 'ä']) {
      assert.equal(decodeBase62(text), null, text)
    }
  })
})
