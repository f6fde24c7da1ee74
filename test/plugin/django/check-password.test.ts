import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, pbkdf2Sync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import bcrypt from 'bcryptjs'
import {
  burnPassword,
  checkPassword,
  hasModulePermissions,
  hasPermission,
  passwordDefaults,
  type PasswordOptions,
} from 'fastify-perspective/django'
import { hashPool } from '../../../dist/plugin/django/hash-pool.js'

type Recipe = Parameters<typeof hashPool.derive>[0]['recipe']

interface Vector {
  readonly id: number
  readonly hasher: string
  readonly encoded: string
  readonly password: string
  readonly expected: boolean
  readonly note: string
  /** The answer, or what was raised instead; null: that version was not asked. */
  readonly django32_default: boolean | string
  readonly django52: boolean | string | null
}

const { passwords, wrapped } = JSON.parse(
  readFileSync(new URL('../../vectors/django-passwords.json', import.meta.url), 'utf8'),
) as {
  passwords: readonly Vector[]
  wrapped: readonly Pick<Vector, 'encoded' | 'password' | 'expected'>[]
}

const CHEAP = { iterations: 1 }
const ALL = { ...CHEAP, hashers: 'all' } as const
const GOOD = passwords.find((vector) => vector.hasher === 'pbkdf2_sha256' && vector.expected)
assert.ok(GOOD)

// A password with NUL never gets past Django's form; check_password itself takes it.
const isForm = ({ password }: Pick<Vector, 'password'>): boolean => !password.includes('\0')
const isLongForBcrypt = ({ hasher, password }: Vector): boolean =>
  hasher === 'bcrypt' && Buffer.byteLength(password) > 72

async function checkQuietly(
  { password, encoded }: Pick<Vector, 'encoded' | 'password'>,
  options: PasswordOptions,
): Promise<{ answer: boolean; warnings: string[] }> {
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  return { answer: await checkPassword(password, encoded, { ...options, warn }), warnings }
}

/** The derivations that something asks for; none is made. */
async function listDerivations(run: () => Promise<void>): Promise<Recipe[]> {
  const recipes: Recipe[] = []
  const derive = hashPool.derive.bind(hashPool)
  hashPool.derive = async ({ recipe }) => {
    recipes.push(recipe)
    return new Uint8Array(32)
  }
  try {
    await run()
  } finally {
    hashPool.derive = derive
  }
  return recipes
}

describe('checkPassword', () => {
  for (const vector of passwords) {
    const { id, hasher, note, expected } = vector
    test(`answers as Django with every hasher on (case 1), vector ${String(id)}: ${hasher} ${note}`, async () => {
      const { answer } = await checkQuietly(vector, { ...ALL, bcryptTruncate: true })
      assert.equal(answer, expected && isForm(vector) && hasher !== 'crypt')
    })
  }

  for (const { encoded, password, expected } of wrapped) {
    test(`knows the wrapped hashers of Django's manual: ${encoded} ${password}`, async () => {
      assert.equal(await checkPassword(password, encoded, ALL), expected)
      assert.equal(await checkPassword(password, encoded, CHEAP), false)
    })
  }

  test('answers as Django 3.2 with the hashers of its settings (cases 2, 17)', async () => {
    const { hashers } = passwordDefaults('3.2')
    for (const vector of passwords) {
      const { answer } = await checkQuietly(vector, { ...CHEAP, hashers })
      assert.equal(answer, vector.django32_default === true && isForm(vector), String(vector.id))
    }
  })

  const django52 = [...passwordDefaults('5.2').hashers, 'bcrypt', 'md5'] as const

  test('answers as Django 5.2 with the hashers that it still has (cases 2, 11, 17)', async () => {
    for (const vector of passwords) {
      if (vector.django52 === null) continue
      const { answer } = await checkQuietly(vector, { ...CHEAP, hashers: django52 })
      // Which only a later bcrypt of Python takes; PHP wrote it, with half of the password's bits lost.
      const isBroken = vector.encoded.startsWith('bcrypt_sha256$$2x$')
      const expected = vector.django52 === true && isForm(vector) && !isBroken
      assert.equal(answer, expected, String(vector.id))
    }
  })

  test('says one thing, and nothing of the value, where Django raises (cases 20, 78)', async () => {
    let raisedCount = 0
    for (const vector of passwords) {
      if (typeof vector.django52 !== 'string') continue
      // Raised for the password, which no log is told of.
      if (/\p{Surrogate}/u.test(vector.password) || isLongForBcrypt(vector)) continue
      raisedCount++
      const { answer, warnings } = await checkQuietly(vector, { ...CHEAP, hashers: django52 })
      assert.equal(answer, false)
      assert.equal(warnings.length, 1, `${String(vector.id)} ${vector.encoded}`)
      const told = String(warnings[0]).replace(vector.hasher, '')
      for (const part of vector.encoded.split('$').slice(1)) {
        assert.ok(part.length < 3 || !told.includes(part), told)
      }
    }
    assert.ok(raisedCount >= 16)
  })

  test('names a hasher that the site has switched off, and no label that it does not know', async () => {
    const encoded = 'md5$seasalt$00000000000000000000000000000000'
    assert.deepEqual(await checkQuietly({ encoded, password: 'x' }, CHEAP), {
      answer: false,
      warnings: ['a stored password was refused: its hasher md5 is not in hashers'],
    })
    for (const silent of ['', 'my plain password', '!', `!${GOOD.encoded}`, 'crypt$$abcdef']) {
      const { warnings } = await checkQuietly({ encoded: silent, password: 'x' }, ALL)
      assert.deepEqual(warnings, [], silent)
    }
  })

  test('refuses what plain bcrypt would cut off, unless told (case 11)', async () => {
    const long = passwords.filter((vector) => isLongForBcrypt(vector) && vector.expected)
    assert.ok(long.length > 0)
    for (const { password, encoded } of long) {
      assert.equal(await checkPassword(password, encoded, ALL), false)
      assert.equal(await checkPassword(`${password}x`, encoded, ALL), false)
      const truncate = { ...ALL, bcryptTruncate: true }
      assert.equal(await checkPassword(`${password}x`, encoded, truncate), true)
    }
  })

  test('reads a password of bcrypt_sha256 to its end (case 10)', async () => {
    const hundred = 'x'.repeat(100)
    const hex = createHash('sha256').update(hundred).digest('hex')
    const encoded = `bcrypt_sha256$${bcrypt.hashSync(hex, 4)}`
    assert.equal(await checkPassword(hundred, encoded, ALL), true)
    assert.equal(await checkPassword(hundred.slice(0, 72), encoded, ALL), false)
  })

  test('has vectors of both answers for every hasher', () => {
    const count = (name: string, answer: boolean): number =>
      passwords.filter(({ hasher, expected }) => hasher === name && expected === answer).length
    assert.ok(count('pbkdf2_sha256', true) >= 30 && count('pbkdf2_sha256', false) >= 20)
    for (const name of ['argon2', 'bcrypt_sha256', 'bcrypt', 'scrypt', 'sha1', 'unsalted_md5']) {
      assert.ok(count(name, true) >= 2 && count(name, false) >= 1, name)
    }
  })

  test('refuses a good hash with ! before it (case 15)', async () => {
    assert.equal(await checkPassword(GOOD.password, GOOD.encoded, CHEAP), true)
    assert.equal(await checkPassword(GOOD.password, `!${GOOD.encoded}`, CHEAP), false)
  })

  test('refuses what asks for more than is allowed, without trying it (case 21)', async () => {
    const greedy = [
      ...['10000001', '99999999', '9223372036854775808', '1'.repeat(60)].map((iterations) =>
        GOOD.encoded.replace(/\$\d+\$/, `$${iterations}$`),
      ),
      `pbkdf2_sha1$10000001$salt$${'A'.repeat(27)}=`,
      `scrypt$1073741824$salt$8$1$${'A'.repeat(86)}==`,
      // 32 MiB is OpenSSL's limit, and Django's.
      `scrypt$32768$salt$8$1$${'A'.repeat(86)}==`,
      // Within the memory, but an hour of work.
      `scrypt$1024$salt$8$16000$${'A'.repeat(86)}==`,
      `argon2$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`,
      `argon2$argon2id$v=19$m=1048577,t=1,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`,
      `argon2$argon2id$v=19$m=8,t=4294967295,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`,
      `argon2$argon2id$v=19$m=102400,t=2,p=256$c29tZXNhbHQ$${'A'.repeat(43)}`,
      `argon2$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$${'A'.repeat(900)}`,
      `bcrypt$$2b$17$${'a'.repeat(21)}u${'a'.repeat(31)}`,
      `bcrypt_sha256$$2b$31$${'a'.repeat(21)}u${'a'.repeat(31)}`,
      `md5$${'s'.repeat(100_000)}$00000000000000000000000000000000`,
    ]
    const recipes = await listDerivations(async () => {
      for (const encoded of greedy) {
        const { answer, warnings } = await checkQuietly({ encoded, password: 'x' }, ALL)
        assert.equal(answer, false, encoded.slice(0, 80))
        assert.equal(warnings.length, 1)
      }
    })
    // Each spends what a new password costs, so that the time tells nothing, and no more.
    const [spent] = await listDerivations(() => burnPassword('x', ALL))
    assert.deepEqual(recipes, Array(greedy.length).fill(spent))
  })

  test('takes what is just allowed', async () => {
    // Each of these would be true for some password: that it is tried shows in the derivations.
    const recipes = await listDerivations(async () => {
      await checkPassword('x', `pbkdf2_sha256$10000000$salt$${'A'.repeat(43)}=`, ALL)
      await checkPassword('x', `scrypt$16384$salt$8$64$${'A'.repeat(86)}==`, ALL)
      await checkPassword('x', `argon2$argon2id$m=1048576,t=4,p=255$c29tZXNhbHQ$AAAAAA`, ALL)
      await checkPassword('x', `bcrypt$$2b$16$${'a'.repeat(21)}u${'a'.repeat(31)}`, ALL)
    })
    assert.deepEqual(
      recipes.map(({ kind }) => kind),
      ['pbkdf2', 'scrypt', 'argon2', 'bcrypt'],
    )
  })

  test('reads argon2 as the reference writes it, and no other text of the same bytes', async () => {
    const encoded = 'argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q'
    assert.equal(await checkPassword('secret', encoded, ALL), true)
    const others = [
      encoded.replace('m=8,t=1,p=1', 't=1,m=8,p=1'),
      encoded.replace('m=8', 'm=08'),
      encoded.replace('c2FsdHNhbHQ$', 'c2FsdHNhbHQ=$'),
      encoded.replace('c2FsdHNhbHQ$', 'c2FsdHNhbHR$'),
      encoded.replace('+', '-'),
      `${encoded}==`,
      `${encoded}\n`,
      encoded.replace('v=19', 'v=18'),
      encoded.replace('v=19', 'v=16'),
      encoded.replace('$v=19', ''),
      encoded.replace('argon2i$', 'argon2d$'),
    ]
    for (const other of others)
      assert.equal(await checkPassword('secret', other, ALL), false, other)
  })

  test('never throws for junk (case 18)', async () => {
    const junk = [
      '',
      'my plain password',
      '$',
      '$$$$',
      'pbkdf2_sha256',
      'pbkdf2_sha256$',
      'pbkdf2_sha256$1$',
      '\0',
      '\ud800',
    ]
    for (const encoded of junk) assert.equal(await checkPassword('x', encoded, CHEAP), false)
  })

  test('refuses what is no text, after one derivation (cases 14, 33)', async () => {
    const unusable = `!${'x'.repeat(40)}`
    const recipes = await listDerivations(async () => {
      for (const none of [null, undefined, 5, [GOOD.password]] as unknown as string[]) {
        assert.equal(await checkPassword(none, GOOD.encoded, CHEAP), false)
        assert.equal(await checkPassword(none, unusable, CHEAP), false)
        assert.equal(await checkPassword(GOOD.password, none, CHEAP), false)
        await burnPassword(none, CHEAP)
      }
    })
    const [spent] = await listDerivations(() => burnPassword('x', CHEAP))
    assert.deepEqual(recipes, Array(16).fill(spent))
  })

  test('refuses a lone surrogate that Node would encode as U+FFFD', async () => {
    const key = pbkdf2Sync('\ufffd', 'salt', 1, 32, 'sha256').toString('base64')
    assert.equal(await checkPassword('\ufffd', `pbkdf2_sha256$1$salt$${key}`), true)
    assert.equal(await checkPassword('\ud800', `pbkdf2_sha256$1$salt$${key}`), false)
  })

  test('derives in another thread, not in this one and not in the pool of libuv', async () => {
    // A worker at work is a referenced MessagePort here; a derivation in libuv's pool would be none.
    const pending = checkPassword(GOOD.password, GOOD.encoded.replace('$1000$', '$200000$'))
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(process.getActiveResourcesInfo().includes('MessagePort'))
    assert.equal(await pending, false)
    assert.ok(!process.getActiveResourcesInfo().includes('MessagePort'))
  })
})

describe('burnPassword', () => {
  test('refuses iterations out of range by name', async () => {
    for (const iterations of [0, -1, 1.5, 10_000_001, Number.NaN]) {
      await assert.rejects(burnPassword('x', { iterations }), {
        name: 'InvalidOptionError',
        code: 'PB_ERR_OPT_INVALID',
        message: 'option iterations: expected a whole number from 1 to 10000000, got number',
      })
    }
  })

  test('gives up when aborted before', async () => {
    const reason = new Error('the page has gone')
    await assert.rejects(burnPassword('x', { signal: AbortSignal.abort(reason) }), reason)
  })
})

describe('a process that has checked a password', () => {
  test('ends by itself', () => {
    const script = `
      import { checkPassword } from 'fastify-perspective/django'
      console.log(await checkPassword(${JSON.stringify(GOOD.password)}, ${JSON.stringify(GOOD.encoded)}))`
    const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: new URL('../../..', import.meta.url),
      encoding: 'utf8',
      timeout: 15_000,
    })
    assert.deepEqual([child.stdout, child.stderr, child.status], ['true\n', '', 0])
  })
})

describe('hasPermission', () => {
  const permissions = new Set(['chat.delete_line'])
  const user = { isActive: true, isSuperuser: false }

  test('asks the set', () => {
    assert.equal(hasPermission(user, permissions, 'chat.delete_line'), true)
    assert.equal(hasPermission(user, permissions, 'delete_line'), false)
    assert.equal(hasPermission(user, permissions, 'chat.add_line'), false)
  })

  test('knows of any permission in an app', () => {
    assert.equal(hasModulePermissions(user, permissions, 'chat'), true)
    for (const label of ['', 'cha', 'chat.', 'chat.delete', 'auth']) {
      assert.equal(hasModulePermissions(user, permissions, label), false, label)
    }
    assert.equal(hasModulePermissions(user, new Set(['a.b.c', '.x']), 'a.b'), false)
    assert.equal(hasModulePermissions({ ...user, isSuperuser: true }, new Set(), 'auth'), true)
    const inactive = { isActive: false, isSuperuser: true }
    assert.equal(hasModulePermissions(inactive, permissions, 'chat'), false)
  })

  test('gives an active superuser any name, and an inactive user none', () => {
    assert.equal(hasPermission({ ...user, isSuperuser: true }, new Set(), 'no.such_thing'), true)
    assert.equal(hasPermission({ isActive: false, isSuperuser: true }, permissions, 'any.x'), false)
    assert.equal(
      hasPermission({ ...user, isActive: false }, permissions, 'chat.delete_line'),
      false,
    )
  })
})
