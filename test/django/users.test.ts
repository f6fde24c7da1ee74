import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  authenticate,
  decodeSession,
  DjangoUsers,
  hasModulePermissions,
  hasPermission,
  sessionAuthHash,
  type PasswordOptions,
  type UserModel,
} from 'fastify-perspective/django'
import { startRealDjango, whyNot, type RealDjango, type Settings } from './real-django.js'

const SECRET_KEY = 'the key of a project in a test'
const FORMER_KEY = 'the key it had before'

const MEMBER = {
  table: 'people_member',
  idColumn: 'key',
  usernameColumn: 'email',
  usernameMaxLength: 254,
  iexact: true,
  isActiveColumn: 'enabled',
  isStaffColumn: null,
  where: 'left_at IS NULL',
} as const satisfies UserModel

interface Site {
  readonly settings: Settings
  readonly model: UserModel
  readonly options: PasswordOptions
  readonly name: string
  readonly idForm: RegExp
}

const SITES: readonly Site[] = [
  {
    settings: 'example.settings',
    model: {},
    options: { iterations: 1000 },
    name: 'ada',
    idForm: /^\d+$/,
  },
  {
    settings: 'example.member_settings',
    model: MEMBER,
    options: {
      hashers: ['argon2', 'pbkdf2_sha256'],
      costs: { argon2: { timeCost: 1, memoryCost: 1024, parallelism: 2 } },
    },
    name: 'Ada@example.com',
    idForm: /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/,
  },
]

for (const version of ['4.2', '5.2'] as const) {
  for (const site of SITES) {
    const skip = whyNot(version)
    describe(`users of Django ${version}, ${site.settings}`, { skip }, async () => {
      if (skip === false) await testSite(await startRealDjango(version, site.settings), site)
    })
  }
}

async function testSite(django: RealDjango, { model, options, name, idForm }: Site): Promise<void> {
  const users = new DjangoUsers(django.pool, model)
  const logIn = async (username: string, password: string): Promise<string | null> =>
    (await authenticate(users, { username, password }, options))?.user.username ?? null
  const { id } = await django.ask<{ id: string }>('create', { name, password: 'letmein' })

  test('are the same rows, by name and by key (cases 37, 40, 41)', async () => {
    assert.match(id, idForm)
    assert.equal(await logIn(name, 'letmein'), name)
    assert.equal(await logIn(name, 'letmeinz'), null)
    assert.equal(await django.ask('log_in', { name, password: 'letmein' }), name)
    await django.ask('session', { name, values: {} }) // sets last_login
    const user = await users.byId(id)
    const { lastLogin, ...fields } = await django.ask<{ lastLogin: number }>('describe', { name })
    assert.deepEqual(user, { ...fields, lastLogin: new Date(Math.floor(lastLogin)) })
  })

  test('have the name compared as the site does (cases 43, 50)', async () => {
    for (const other of [name.toUpperCase(), ` ${name}`, `${name}x`, `%${name}`, 'a_a']) {
      const ours = await logIn(other, 'letmein')
      assert.deepEqual(
        ours,
        await django.ask('log_in', { name: other, password: 'letmein' }),
        other,
      )
    }
    const twin = name.toLowerCase() === name ? name.toUpperCase() : name.toLowerCase()
    await django.ask('create', { name: twin, password: 'letmein' })
    for (const one of [name, twin]) {
      const theirs = await django.ask<unknown>('log_in', { name: one, password: 'letmein' })
      const isAnswer = theirs === null || typeof theirs === 'string'
      // MultipleObjectsReturned, an error page, is a refusal here.
      assert.deepEqual(await logIn(one, 'letmein'), isAnswer ? theirs : null)
    }
    await django.ask('change', {
      name: twin,
      [model.iexact === true ? 'email' : 'username']: 'twin',
    })
  })

  test('have the permissions and groups that Django says (cases 41, 42, 56 to 59)', async () => {
    const labels = ['auth', 'sessions', 'contenttypes', 'chat', 'aut']
    const compare = async (): Promise<number> => {
      const theirs = await django.ask<{
        all: string[]
        groups: string[]
        modules: Record<string, boolean>
      }>('permissions', { name, labels })
      const user = await users.byId(id)
      assert.ok(user)
      const permissions = await users.permissionsOf(id)
      assert.deepEqual([...permissions].sort(), theirs.all)
      assert.deepEqual(await users.groupsOf(id), theirs.groups)
      for (const label of labels) {
        assert.equal(hasModulePermissions(user, permissions, label), theirs.modules[label], label)
      }
      assert.equal(hasPermission(user, permissions, 'no.such'), user.isActive && user.isSuperuser)
      return permissions.size
    }
    assert.equal(await compare(), 0)
    await django.ask('grant', { name, permission: 'auth.add_group' })
    assert.equal(await compare(), 1)
    await django.ask('grant', { name, permission: 'auth.add_group', group: 'zeta' })
    await django.ask('grant', { name, permission: 'sessions.view_session', group: 'alpha' })
    assert.equal(await compare(), 2)
    await django.ask('change', { name, is_superuser: true })
    assert.ok((await compare()) > 10)
    await django.ask('change', { name, is_active: false })
    assert.equal(await compare(), 0)
    assert.equal(await logIn(name, 'letmein'), null)
    await django.ask('change', { name, is_superuser: false, is_active: true })
    assert.equal(await compare(), 2)
  })

  test('have sessions that are read here as there (cases 61, 63, 66, 68, 70, 72)', async () => {
    const small = { cart: [1, 2.5, null, 'é🐍', { deep: true }] }
    for (const values of [small, { ...small, filler: 'x'.repeat(5000) }]) {
      const { data, decoded, hash } = await django.ask<{
        data: string
        decoded: object
        hash: string
      }>('session', { name, values })
      const session = decodeSession(data, { secretKey: SECRET_KEY })
      assert.deepEqual(session, decoded)
      assert.equal(session['_auth_user_id'], id)
      const account = await users.accountById(id)
      assert.equal(session['_auth_user_hash'], hash)
      assert.equal(sessionAuthHash(account!.password, SECRET_KEY), hash)
      assert.equal(decodeSession(data, { secretKey: FORMER_KEY }), null)
      const rotated = { secretKey: FORMER_KEY, secretKeyFallbacks: [SECRET_KEY] }
      assert.deepEqual(decodeSession(data, rotated), decoded)

      const cookie = await django.ask<string>('signed_cookie', { values })
      const salt = 'django.contrib.sessions.backends.signed_cookies'
      const options = { secretKey: SECRET_KEY, salt, maxAgeSeconds: 60 }
      assert.deepEqual(decodeSession(cookie, options), values)
      assert.equal(decodeSession(cookie, { ...options, now: Date.now() + 62_000 }), null)
      assert.equal(decodeSession(cookie, { secretKey: SECRET_KEY }), null)
    }
  })

  test('lose their sessions and old password with a new one (cases 14, 62)', async () => {
    const { hash } = await django.ask<{ hash: string }>('session', { name, values: {} })
    await django.ask('set_password', { name, password: 'other' })
    assert.equal(await logIn(name, 'letmein'), null)
    assert.equal(await logIn(name, 'other'), name)
    const account = await users.accountById(id)
    assert.notEqual(sessionAuthHash(account!.password, SECRET_KEY), hash)
    await django.ask('set_password', { name, password: null })
    assert.equal(await logIn(name, 'other'), null)
    assert.equal(await logIn(name, 'None'), null)
  })

  if (model.where === undefined) return
  test('are nobody where the manager leaves them out', async () => {
    await django.ask('set_password', { name, password: 'letmein' })
    assert.equal(await logIn(name, 'letmein'), name)
    await django.ask('change', { name, left_at: '2026-01-01T00:00:00Z' })
    assert.equal(await django.ask('log_in', { name, password: 'letmein' }), null)
    assert.equal(await logIn(name, 'letmein'), null)
    assert.equal(await users.byId(id), null)
    assert.equal((await users.permissionsOf(id)).size, 0)
  })
}
