import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  burnPassword,
  checkPassword,
  passwordDefaults,
  resolvePasswordSettings,
  type HasherName,
  type PasswordOptions,
} from 'fastify-perspective/django'
import { hashPool } from '../../../dist/plugin/django/hash-pool.js'
import type { Recipe } from '../../../dist/plugin/django/hashers/hasher.js'

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url))

/** What a check asks the threads for; their keys are wrong for every hash. */
async function recipesOf(action: () => Promise<unknown>): Promise<Recipe[]> {
  const recipes: Recipe[] = []
  const derive = hashPool.derive.bind(hashPool)
  hashPool.derive = async ({ recipe }) => {
    recipes.push(recipe)
    return new Uint8Array(32)
  }
  try {
    await action()
  } finally {
    hashPool.derive = derive
  }
  return recipes
}

describe('the time of a refusal', () => {
  const costs = {
    argon2: { timeCost: 1, memoryCost: 64, parallelism: 2 },
    bcrypt: { rounds: 6 },
    scrypt: { workFactor: 1024, blockSize: 8, parallelism: 1 },
  }

  test('is one new password of the preferred hasher (cases 33, 34)', async () => {
    const preferred = (hasher: HasherName): PasswordOptions => ({
      hashers: [hasher, 'pbkdf2_sha256'],
      iterations: 6,
      costs,
    })
    const expected: readonly [PasswordOptions, object][] = [
      [preferred('pbkdf2_sha1'), { kind: 'pbkdf2', digest: 'sha1', iterations: 6 }],
      [preferred('argon2'), { kind: 'argon2', type: 'argon2id', version: 19, ...costs.argon2 }],
      [preferred('bcrypt'), { kind: 'bcrypt', isDigested: false, runs: 1 }],
      [preferred('bcrypt_sha256'), { kind: 'bcrypt', isDigested: true, runs: 1 }],
      [preferred('scrypt'), { kind: 'scrypt', ...costs.scrypt }],
      [preferred('md5'), { kind: 'digest', digest: 'md5' }],
    ]
    for (const [options, recipe] of expected) {
      for (const stored of ['!unusable', 'junk', 'sha1$salt$0000', '']) {
        const recipes = await recipesOf(() => checkPassword('x', stored, options))
        assert.equal(recipes.length, 1)
        assert.deepEqual({ ...recipes[0], ...recipe }, recipes[0])
      }
      const burnt = await recipesOf(() => burnPassword('x', options))
      assert.equal(burnt.length, 1)
      await burnPassword('x', options)
    }
  })

  test('makes up for fewer iterations, once, and only when the password is wrong (cases 30, 32)', async () => {
    const encoded = `pbkdf2_sha256$1$seasalt$${'B'.repeat(43)}=`
    const iterationsOf = async (iterations: number, hashers: PasswordOptions['hashers']) => {
      const options = { iterations, ...(hashers !== undefined && { hashers }) }
      const recipes = await recipesOf(() => checkPassword('x', encoded, options))
      return recipes.map((recipe) => 'iterations' in recipe && recipe.iterations)
    }
    assert.deepEqual(await iterationsOf(6, undefined), [1, 5])
    assert.deepEqual(await iterationsOf(1, undefined), [1])
    // Another hasher is preferred: Django leaves it at that.
    assert.deepEqual(await iterationsOf(6, ['pbkdf2_sha1', 'pbkdf2_sha256']), [1])
    const zeros = new Uint8Array(32)
    const right = `pbkdf2_sha256$1$seasalt$${Buffer.from(zeros).toString('base64')}`
    assert.equal((await recipesOf(() => checkPassword('x', right, { iterations: 6 }))).length, 1)
  })

  test('makes up for fewer rounds of bcrypt, with the same salt (case 31)', async () => {
    const encoded = `bcrypt$$2b$04$${'a'.repeat(21)}u${'a'.repeat(31)}`
    const recipes = await recipesOf(() =>
      checkPassword('x', encoded, { hashers: ['bcrypt'], costs: { bcrypt: { rounds: 6 } } }),
    )
    const salt = `$2b$04$${'a'.repeat(21)}u`
    assert.deepEqual(recipes, [
      { kind: 'bcrypt', salt, isDigested: false, runs: 1 },
      { kind: 'bcrypt', salt, isDigested: false, runs: 3 },
    ])
  })
})

describe('the settings of a site', () => {
  test('are those of its Django', () => {
    assert.equal(passwordDefaults('4.2').iterations, 600_000)
    assert.equal(passwordDefaults('6.1').iterations, 1_500_000)
    assert.ok(!passwordDefaults('3.2').hashers.includes('scrypt'))
    assert.equal(passwordDefaults('5.0').costs.scrypt.parallelism, 1)
    assert.equal(passwordDefaults('5.1').costs.scrypt.parallelism, 5)
    const { hashers, costs } = resolvePasswordSettings({})
    const { iterations, ...others } = costs
    assert.deepEqual({ hashers, iterations, costs: others }, passwordDefaults('5.2'))
  })

  test('are refused by name', () => {
    const refused: readonly [object, RegExp][] = [
      [
        { hashers: [] },
        /^option hashers: expected 'all' or a list of pbkdf2_sha256, .* got an array$/,
      ],
      [{ hashers: 'pbkdf2_sha256' }, /^option hashers: .* got string$/],
      [{ hashers: ['pbkdf2_sha256', 'crypt'] }, /^option hashers\[1\]: /],
      [{ hashers: ['__proto__'] }, /^option hashers\[0\]: /],
      [{ iterations: 0 }, /^option iterations: /],
      [{ costs: { md5: {} } }, /^option costs\.md5: expected argon2, bcrypt or scrypt/],
      [
        { costs: { bcrypt: { rounds: 17 } } },
        /^option costs\.bcrypt: expected \{ rounds \} from 4/,
      ],
      [
        { costs: { argon2: { timeCost: 1, memoryCost: 7, parallelism: 1 } } },
        /^option costs\.argon2: /,
      ],
      [
        { costs: { scrypt: { workFactor: 1000, blockSize: 8, parallelism: 1 } } },
        /^option costs\.scrypt: /,
      ],
      [{ costs: { scrypt: null } }, /^option costs\.scrypt: /],
    ]
    for (const [settings, message] of refused) {
      assert.throws(() => resolvePasswordSettings(settings), {
        name: 'InvalidOptionError',
        code: 'PB_ERR_OPT_INVALID',
        message,
      })
    }
  })
})

describe('a package that is missing', () => {
  test('is named with what to run, and other hashers go on', () => {
    const folder = mkdtempSync(join(tmpdir(), 'perspective-hashers-'))
    try {
      // The package as it is installed without its optional dependencies.
      const modules = join(folder, 'node_modules')
      const home = join(modules, 'fastify-perspective')
      mkdirSync(home, { recursive: true })
      cpSync(join(PROJECT, 'dist'), join(home, 'dist'), { recursive: true })
      cpSync(join(PROJECT, 'package.json'), join(home, 'package.json'))
      symlinkSync(
        join(PROJECT, 'node_modules', 'pg-promise'),
        join(modules, 'pg-promise'),
        'junction',
      )
      // Or Node might take a package above the folder for its own.
      writeFileSync(join(folder, 'package.json'), '{}')
      const script = `
        import { checkPassword } from 'fastify-perspective/django'
        const options = { hashers: 'all' }
        const stored = [
          'bcrypt$$2b$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq',
          'argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$gwQOXSNhxiOxPOA0+PY10P9QFO4NAYyXYVPa3o2o2UA',
          'md5$seasalt$a99ee40e9ee4a1d4d2d1d6c1ef8b7e7c',
        ]
        for (const encoded of stored) {
          const said = await checkPassword('secret', encoded, options).catch(({ code, message }) => code + ' ' + message)
          console.log(said)
        }`
      const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 30_000,
      })
      assert.deepEqual(child.stderr, '')
      assert.deepEqual(child.stdout.trim().split('\n'), [
        'PB_ERR_LOGIN_HASHER expected the package bcryptjs for a stored password, got none; run: npm install bcryptjs',
        'PB_ERR_LOGIN_HASHER expected the package @node-rs/argon2 for a stored password, got none; run: npm install @node-rs/argon2',
        'false',
      ])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
