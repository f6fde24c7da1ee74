import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  authenticate,
  checkPassword,
  DjangoUsers,
  type HasherName,
  type PasswordOptions,
} from 'fastify-perspective/django'
import { startRealDjango, whyNot } from './real-django.js'

const SINCE_5_1 = [
  'pbkdf2_sha256',
  'pbkdf2_sha1',
  'argon2',
  'bcrypt_sha256',
  'bcrypt',
  'scrypt',
  'md5',
] as const
const HASHERS: { readonly [version in '4.2' | '5.2']: readonly HasherName[] } = {
  '4.2': [...SINCE_5_1, 'sha1', 'unsalted_md5', 'unsalted_sha1'],
  '5.2': SINCE_5_1,
}

/** Cheap ones of each hasher, to be changed in every way. */
const SEEDS: readonly string[] = [
  'pbkdf2_sha256$1$salt$',
  'pbkdf2_sha1$1$salt$',
  'argon2$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$',
  'argon2$argon2i$v=16$m=16,t=2,p=2$c29tZXNhbHQ$',
  'argon2$argon2d$m=8,t=1,p=1$c29tZXNhbHQ$',
  'bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuu',
  'bcrypt$$2a$04$abcdefghijklmnopqrstuu',
  'scrypt$2$salt$1$1$',
  'md5$salt$',
]

for (const version of ['4.2', '5.2'] as const) {
  describe(`passwords of Django ${version}`, { skip: whyNot(version) }, async () => {
    const skip = whyNot(version)
    if (skip !== false) return
    const django = await startRealDjango(version, 'example.settings')
    const users = new DjangoUsers(django.pool)
    const hashers = HASHERS[version]
    const options: PasswordOptions = { hashers, iterations: 1000 }
    const CHEAP: PasswordOptions = { ...options, hashers: [...hashers].reverse() }
    const logIn = async (username: string, password: string): Promise<string | null> =>
      (await authenticate(users, { username, password }, options))?.user.username ?? null

    for (const hasher of hashers) {
      test(`checks what ${hasher} has written, before and after Django writes it anew (case 3)`, async () => {
        const name = `user_of_${hasher}`
        const password = 'lètmein 🐍'
        await django.ask('create', { name, password, hasher })
        // Before Django: a login there turns the hash into one of the preferred hasher.
        assert.equal(await logIn(name, `${password}z`), null)
        assert.equal(await logIn(name, password), name)
        assert.equal(await django.ask('log_in', { name, password }), name)
        const account = await users.accountByUsername(name)
        assert.match(account?.password ?? '', /^pbkdf2_sha256\$/)
        assert.equal(await logIn(name, password), name)
      })
    }

    test('takes and refuses the passwords that Django takes and refuses (cases 4, 46)', async () => {
      const passwords = [
        ...[
          '',
          ' ',
          'letmein',
          ' letmein',
          'letmein ',
          'Letmein',
          'ｌetmein',
          '\u00e9',
          'e\u0301',
          '\0',
        ],
        ...['\u00a0', '\u00ad', '\ufeff', '\u{10ffff}', '😀😀', 'x'.repeat(4096), 'a'.repeat(72)],
      ]
      for (const hasher of hashers) {
        const pairs: [string, string][] = []
        for (const password of passwords) {
          if (hasher === 'bcrypt' && password.length > 72) continue
          const triple = [password, hasher.startsWith('bcrypt') ? null : 'seasalt', hasher]
          // Twelve rounds and a hundred MiB, for some is enough.
          const isDear = hasher.startsWith('bcrypt') || hasher === 'argon2' || hasher === 'scrypt'
          if (isDear && pairs.length >= 4) break
          if (hasher.startsWith('unsalted')) triple[1] = ''
          if (hasher === 'argon2') triple[1] = 'seasalt22'
          const [encoded] = await django.ask<string[]>('make_all', { triples: [triple] })
          for (const other of [password, `${password} `]) pairs.push([other, encoded!])
        }
        const answers = await django.ask<unknown[]>('check_all', { pairs })
        for (const [index, [password, encoded]] of pairs.entries()) {
          // The form refuses NUL by itself.
          const expected = answers[index] === true && !password.includes('\0')
          assert.equal(await checkPassword(password, encoded, CHEAP), expected, encoded)
        }
      }
    })

    test('answers as Django for stored values that are changed in every way (cases 16 to 20)', async () => {
      const good: string[] = []
      for (const seed of SEEDS) good.push(await complete(seed))
      const pairs: [string, string][] = []
      for (const encoded of good) {
        for (const value of mutate(encoded)) pairs.push(['lètmein', value])
      }
      const answers = await django.ask<unknown[]>('check_all', { pairs })
      const differ: unknown[] = []
      let trueCount = 0
      for (const [index, [password, encoded]] of pairs.entries()) {
        const ours = await checkPassword(password, encoded, CHEAP)
        const theirs = answers[index]
        if (theirs === true) trueCount++
        if (ours !== (theirs === true)) differ.push({ encoded, ours, theirs })
      }
      assert.deepEqual(differ.slice(0, 5), [])
      assert.equal(trueCount >= SEEDS.length && pairs.length > 500, true)

      // Completes a seed with the key that makes it right: what Django makes of it is checked above.
      async function complete(seed: string): Promise<string> {
        let encoded = ''
        const { hashPool } = await import('../../dist/plugin/django/hash-pool.js')
        const { identifyHash } = await import('../../dist/plugin/django/hashers/identify.js')
        for (const filler of ['A'.repeat(43), 'A'.repeat(31), 'A']) {
          const identified = identifyHash(seed + filler, hashers)
          if (identified.is !== 'usable') continue
          const { hash } = identified
          const { recipe } = hash
          encoded = hash.encode(await hashPool.derive({ password: 'lètmein', recipe }))
        }
        return encoded
      }
    })

    test('reads a name as the form does (cases 43 to 48)', async () => {
      await django.ask('create', { name: 'zo\u00eb', password: 'letmein', hasher: 'md5' })
      await django.ask('create', { name: 'n'.repeat(150), password: 'letmein', hasher: 'md5' })
      const names = [
        ...[
          'zo\u00eb',
          ' zo\u00eb ',
          'zoe\u0308',
          'ｚo\u00eb',
          'ZO\u00cb',
          '\ufeffzo\u00eb',
          'zo\u00eb\0',
        ],
        ...[
          '\u200bzo\u00eb',
          '\x1czo\u00eb\x85',
          '\u3000zo\u00eb\n',
          'zo\u00eb\u00ad',
          '',
          ' ',
          'nobody',
        ],
        ...[
          'n'.repeat(150),
          'ｎ'.repeat(150),
          'n'.repeat(151),
          ` ${'n'.repeat(150)} `,
          "' OR 1=1 --",
        ],
      ]
      for (const name of names) {
        for (const password of ['letmein', ' letmein', 'letmein\0', '']) {
          const ours = await logIn(name, password)
          const theirs = await django.ask('log_in', { name, password })
          assert.deepEqual(ours, theirs, JSON.stringify([name, password]))
        }
      }
    })

    test('follows a new password, a deactivation, an unusable password (cases 14, 37)', async () => {
      const name = 'follows'
      await django.ask('create', { name, password: 'first' })
      assert.equal(await logIn(name, 'first'), name)
      const before = await users.accountByUsername(name)
      await django.ask('set_password', { name, password: 'second' })
      assert.equal(await logIn(name, 'first'), null)
      assert.equal(await logIn(name, 'second'), name)
      // What sessions and tickets are bound to has changed (case 62).
      assert.notEqual((await users.accountByUsername(name))?.password, before?.password)
      await django.ask('change', { name, is_active: false })
      assert.equal(await logIn(name, 'second'), null)
      assert.equal(await django.ask('log_in', { name, password: 'second' }), null)
      await django.ask('change', { name, is_active: true })
      assert.equal(await logIn(name, 'second'), name)
      await django.ask('set_password', { name, password: null })
      const { password: stored } = (await users.accountByUsername(name))!
      assert.match(stored, /^!.{40}$/)
      for (const password of ['second', '', '!', stored, stored.slice(1)]) {
        assert.equal(await logIn(name, password), null)
        assert.equal(await checkPassword(password, stored, CHEAP), false)
      }
    })
  })
}

/** Each character changed, left out and doubled; the parts cut off, swapped and padded. */
function mutate(encoded: string): Set<string> {
  const values = new Set([encoded])
  for (let index = 0; index < encoded.length; index++) {
    const [before, after] = [encoded.slice(0, index), encoded.slice(index + 1)]
    const character = encoded[index]!
    values.add(before + after)
    values.add(before + character + character + after)
    // A larger number of rounds would take Django a day.
    const isNumber = /\d/.test(character)
    for (const other of isNumber ? ['1', '0', '-', '+'] : ['A', '$', ' ', 'é', '\n']) {
      values.add(before + other + after)
    }
  }
  const parts = encoded.split('$')
  for (let end = 0; end < parts.length; end++) values.add(parts.slice(0, end).join('$'))
  for (const suffix of ['=', '==', '$', '\n', ' ', '\0', '$x']) values.add(encoded + suffix)
  for (const prefix of ['!', ' ', '$', 'x', '\ufeff']) values.add(prefix + encoded)
  values.add(encoded.toUpperCase())
  values.add(encoded.toLowerCase())
  for (const value of values) {
    // The C library behind argon2 stops at NUL, which no column of PostgreSQL can hold.
    const isCut = value.startsWith('argon2') && value.includes('\0')
    if (isCut || isTooDear(value)) values.delete(value)
  }
  return values
}

/** Whether it asks for more than some milliseconds of either side. */
function isTooDear(encoded: string): boolean {
  if (encoded.startsWith('bcrypt')) return /\$(0[6-9]|[1-9]\d)\$/.test(encoded)
  return encoded.split(/[$,=]/).some((part) => /^\d+$/.test(part) && Number(part) > 1e5)
}
