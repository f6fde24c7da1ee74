// What Django would write anew at a login, and what is then written.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  checkPassword,
  type HasherName,
  isPasswordOutdated,
  makePassword,
  type PasswordCosts,
  passwordDefaults,
  type PasswordOptions,
  WRITTEN_HASHERS,
} from 'fastify-perspective/django'
import { makeBcryptSalt, makeSalt } from '../../../dist/plugin/django/hashers/salt.js'

interface Vector {
  readonly id: number
  readonly hasher: string
  readonly encoded: string
  readonly expected: boolean
  readonly must_update_32: boolean | string | null
  readonly must_update_52: boolean | string | null
}
const { passwords } = JSON.parse(
  readFileSync(new URL('../../vectors/django-passwords.json', import.meta.url), 'utf8'),
) as { passwords: readonly Vector[] }

const COSTS: PasswordCosts = {
  argon2: { timeCost: 1, memoryCost: 64, parallelism: 2 },
  bcrypt: { rounds: 5 },
  scrypt: { workFactor: 16, blockSize: 8, parallelism: 2 },
}
const withPreferred = (name: HasherName): PasswordOptions => ({
  hashers: [name, ...WRITTEN_HASHERS.filter((other) => other !== name), 'bcrypt', 'md5'],
  iterations: 7,
  costs: COSTS,
})

describe('isPasswordOutdated', () => {
  test('says of every vector what Django 3.2 and 5.2 say (cases 24, 25, 29)', () => {
    let count = 0
    for (const version of ['3.2', '5.2'] as const) {
      const { iterations, costs } = passwordDefaults(version)
      for (const vector of passwords) {
        const theirs = version === '3.2' ? vector.must_update_32 : vector.must_update_52
        // Of a value that no password matches nobody asks it.
        if (typeof theirs !== 'boolean' || !vector.expected || vector.hasher === 'crypt') continue
        const ours = isPasswordOutdated(vector.encoded, { hashers: 'all', iterations, costs })
        assert.equal(ours, theirs, `${version}, ${String(vector.id)}: ${vector.encoded}`)
        count++
      }
    }
    assert.ok(count > 100, String(count))
  })

  test('asks for each parameter, in either direction (cases 22, 24 to 28)', () => {
    const salt = 's'.repeat(22)
    const b64 = Buffer.from(salt).toString('base64').replace(/=+$/, '')
    const key = 'A'.repeat(43)
    const good: Readonly<Record<string, string>> = {
      pbkdf2_sha256: `pbkdf2_sha256$7$${salt}$${key}=`,
      pbkdf2_sha1: `pbkdf2_sha1$7$${salt}$${'A'.repeat(27)}=`,
      argon2: `argon2$argon2id$v=19$m=64,t=1,p=2$${b64}$${key}`,
      bcrypt_sha256: `bcrypt_sha256$$2b$05$${'.'.repeat(22)}${'.'.repeat(31)}`,
      bcrypt: `bcrypt$$2b$05$${'.'.repeat(22)}${'.'.repeat(31)}`,
      scrypt: `scrypt$16$${salt}$8$2$${'A'.repeat(86)}==`,
      md5: `md5$${salt}$${'0'.repeat(32)}`,
    }
    const changes: Readonly<Record<string, readonly [RegExp, string][]>> = {
      pbkdf2_sha256: [
        [/\$7\$/, '$6$'],
        [/\$7\$/, '$8$'],
        [/s{22}/, 's'.repeat(21)],
      ],
      pbkdf2_sha1: [
        [/\$7\$/, '$6$'],
        [/s{22}/, '𝓼'.repeat(21)],
      ],
      argon2: [
        [/argon2id/, 'argon2i'],
        [/v=19/, 'v=16'],
        [/m=64/, 'm=128'],
        [/t=1/, 't=2'],
        [/p=2/, 'p=1'],
        [/A{43}/, 'A'.repeat(22)],
        [/\$c3.*\$/, `$${Buffer.from('s'.repeat(21)).toString('base64')}$`],
      ],
      bcrypt_sha256: [
        [/\$05\$/, '$04$'],
        [/\$05\$/, '$06$'],
      ],
      bcrypt: [[/\$05\$/, '$06$']],
      scrypt: [
        [/\$16\$/, '$32$'],
        [/\$8\$/, '$4$'],
        [/\$2\$/, '$1$'],
      ],
      md5: [[/s{22}/, 's'.repeat(21)]],
    }
    for (const [name, encoded] of Object.entries(good)) {
      const options = withPreferred(name as HasherName)
      assert.equal(isPasswordOutdated(encoded, options), false, encoded)
      for (const [from, to] of changes[name] ?? []) {
        const changed = encoded.replace(from, to)
        assert.notEqual(changed, encoded)
        assert.equal(isPasswordOutdated(changed, options), true, changed)
      }
      const other = withPreferred(name === 'scrypt' ? 'argon2' : 'scrypt')
      assert.equal(isPasswordOutdated(encoded, other), true, `${name} is not preferred`)
    }
    // Salts are no reason for these two (case 28).
    const short = withPreferred('scrypt')
    assert.equal(isPasswordOutdated(`scrypt$16$s$8$2$${'A'.repeat(86)}==`, short), false)
  })

  test('is false for what no password can match', () => {
    for (const encoded of [
      '',
      '!',
      `!md5$s$${'0'.repeat(32)}`,
      'plain',
      'sha1$s$00',
      'md5$$',
      'argon2$x',
    ]) {
      assert.equal(isPasswordOutdated(encoded, withPreferred('scrypt')), false, encoded)
    }
  })
})

describe('makePassword', () => {
  for (const name of WRITTEN_HASHERS) {
    test(`writes ${name} that is right, current and each time another`, async () => {
      const options = withPreferred(name)
      const password = 'lètmein 🐍'
      const [first, second] = [
        await makePassword(password, options),
        await makePassword(password, options),
      ]
      assert.ok(first !== null && second !== null && first !== second)
      assert.ok(first.startsWith(`${name}$`) && first.length <= 128, first)
      assert.equal(await checkPassword(password, first, options), true)
      assert.equal(await checkPassword(`${password} `, first, options), false)
      assert.equal(isPasswordOutdated(first, options), false)
    })
  }

  test('writes nothing with a hasher that no new password should have', async () => {
    for (const name of ['bcrypt', 'md5'] as const) {
      assert.equal(await makePassword('x', withPreferred(name)), null)
    }
    assert.equal(await makePassword('x', { hashers: ['pbkdf2_wrapped_md5'], iterations: 1 }), null)
  })

  test('writes no password that nobody could log in with, and lives on', async () => {
    for (const none of [null, undefined, 5, 'pw\0', '\ud800'] as unknown as string[]) {
      await assert.rejects(makePassword(none, withPreferred('pbkdf2_sha256')), {
        code: 'PB_ERR_OPT_INVALID',
        message: /^option password: expected text without NUL or a lone surrogate, got \w+$/,
      })
    }
  })

  test('has salts of all letters and digits, none like another', () => {
    const salts = Array.from({ length: 300 }, makeSalt)
    assert.equal(new Set(salts).size, 300)
    assert.equal(new Set(salts.join('')).size, 62)
    for (const salt of salts) assert.match(salt, /^[A-Za-z0-9]{22}$/)
    const bcryptSalts = Array.from({ length: 300 }, makeBcryptSalt)
    assert.equal(new Set(bcryptSalts).size, 300)
    assert.equal(new Set(bcryptSalts.join('')).size, 64)
    for (const salt of bcryptSalts) assert.match(salt, /^[./A-Za-z0-9]{21}[.Oeu]$/)
  })
})
