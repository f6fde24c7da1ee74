import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { pbkdf2Sync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { burnPassword, checkPassword, hasPermission } from 'fastify-perspective/django'

interface Vector {
  readonly id: number
  readonly hasher: string
  readonly encoded: string
  readonly password: string
  readonly expected: boolean
}

const { passwords } = JSON.parse(
  readFileSync(new URL('../../vectors/django-passwords.json', import.meta.url), 'utf8'),
) as { passwords: readonly Vector[] }

const CHEAP = { iterations: 1 }
const GOOD = passwords.find((vector) => vector.hasher === 'pbkdf2_sha256' && vector.expected)
assert.ok(GOOD)

describe('checkPassword', () => {
  for (const { id, hasher, encoded, password, expected } of passwords) {
    test(`answers like Django for vector ${String(id)}, ${hasher || 'no hasher'}`, async () => {
      // A password with NUL never gets past Django's form; check_password itself takes it.
      const isRefused = hasher !== 'pbkdf2_sha256' || password.includes('\0')
      assert.equal(await checkPassword(password, encoded, CHEAP), expected && !isRefused)
    })
  }

  test('has vectors of both answers', () => {
    const own = passwords.filter((vector) => vector.hasher === 'pbkdf2_sha256')
    assert.ok(own.filter((vector) => vector.expected).length >= 30)
    assert.ok(own.filter((vector) => !vector.expected).length >= 20)
  })

  test('refuses a good hash with ! before it', async () => {
    assert.equal(await checkPassword(GOOD.password, GOOD.encoded, CHEAP), true)
    assert.equal(await checkPassword(GOOD.password, `!${GOOD.encoded}`, CHEAP), false)
  })

  test('refuses more than 10,000,000 iterations without trying them', async () => {
    for (const iterations of ['10000001', '99999999', '9223372036854775808', '1'.repeat(60)]) {
      const encoded: string = GOOD.encoded.replace(/\$\d+\$/, `$${iterations}$`)
      assert.equal(await checkPassword(GOOD.password, encoded, CHEAP), false)
    }
  })

  test('never throws for junk', async () => {
    const junk = [
      '',
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

  test('gives an active superuser any name, and an inactive user none', () => {
    assert.equal(hasPermission({ ...user, isSuperuser: true }, new Set(), 'no.such_thing'), true)
    assert.equal(hasPermission({ isActive: false, isSuperuser: true }, permissions, 'any.x'), false)
    assert.equal(
      hasPermission({ ...user, isActive: false }, permissions, 'chat.delete_line'),
      false,
    )
  })
})
