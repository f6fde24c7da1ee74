// The values that Django's own tests have, one by one: tests/auth_tests/test_hashers.py.
import assert from 'node:assert/strict'
import { createHash, pbkdf2Sync, scryptSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { checkPassword, type HasherName } from 'fastify-perspective/django'

interface Vector {
  readonly hasher: string
  readonly encoded: string
  readonly password: string
  readonly expected: boolean
}
const { passwords } = JSON.parse(
  readFileSync(new URL('../../vectors/django-passwords.json', import.meta.url), 'utf8'),
) as { passwords: readonly Vector[] }

const check = (password: string, encoded: string, preferred: HasherName[] = []): Promise<boolean> =>
  checkPassword(password, encoded, {
    hashers: ['md5', 'pbkdf2_sha256', 'pbkdf2_sha1', 'argon2', 'scrypt', ...preferred],
    iterations: 1,
  })
const isVector = (encoded: string): boolean => passwords.some((known) => known.encoded === encoded)

describe("the values of Django's own tests", () => {
  test('are right for lètmein and for nothing else (case 5)', async () => {
    const encoded = 'pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c='
    assert.ok(isVector(encoded))
    assert.equal(await check('lètmein', encoded), true)
    assert.equal(await check('lètmeinz', encoded), false)
  })

  test('pbkdf2_sha1 with another count and salt (case 6)', async () => {
    const key = pbkdf2Sync('lètmein', 'seasalt2', 600_000, 20, 'sha1').toString('base64')
    assert.ok(key.startsWith('2CLsaL1M'), key)
    assert.equal(await check('lètmein', `pbkdf2_sha1$600000$seasalt2$${key}`), true)
    assert.equal(await check('letmein', `pbkdf2_sha1$600000$seasalt2$${key}`), false)
  })

  test('scrypt as of Django 4.0 and of 5.1 (case 7)', async () => {
    for (const [p, start] of [
      [1, 'Qj3+9PPy'],
      [5, 'ECMIUp+L'],
    ] as const) {
      const key = scryptSync('lètmein', 'seasalt', 64, { N: 16384, r: 8, p }).toString('base64')
      assert.ok(key.startsWith(start), key)
      const encoded = `scrypt$16384$seasalt$8$${String(p)}$${key}`
      assert.equal(await check('lètmein', encoded), true)
      assert.equal(await check('lètmeinz', encoded), false)
    }
  })

  test('argon2i, with a version and without (cases 8, 9)', async () => {
    for (const encoded of [
      'argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$gwQOXSNhxiOxPOA0+PY10P9QFO4NAYysnqRt1GSQLE55m+2GYDt9FEjPMHhP2Cuf0nOEXXMocVrsJAtNSsKyfg',
      'argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q',
    ]) {
      assert.ok(isVector(encoded))
      assert.equal(await check('secret', encoded), true)
      assert.equal(await check('wrong', encoded), false)
    }
  })

  test('unsalted sha1 has its two dollars (case 12)', async () => {
    const hex = createHash('sha1').update('lètmein').digest('hex')
    assert.equal(await check('lètmein', `sha1$$${hex}`, ['unsalted_sha1']), true)
    assert.equal(await check('lètmein', hex, ['unsalted_sha1', 'sha1']), false)
    assert.equal(await check('lètmein', `sha1$$${hex}`), false)
  })

  test('unsalted md5 has two forms of one hash (case 13)', async () => {
    const hex = createHash('md5').update('lètmein').digest('hex')
    for (const encoded of [hex, `md5$$${hex}`]) {
      assert.equal(await check('lètmein', encoded, ['unsalted_md5']), true)
      assert.equal(await check('lètmeinz', encoded, ['unsalted_md5']), false)
      assert.equal(await check('lètmein', encoded), false)
    }
  })
})
