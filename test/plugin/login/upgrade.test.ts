// An old hash is written anew at a login where the site wants it: once, only over what it was, and nobody is thrown out.
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { LoginRefusedError, type PerspectiveOptions } from 'fastify-perspective'
import { checkPassword, DjangoUsers, makePassword } from 'fastify-perspective/django'
import { hashPool } from '../../../dist/plugin/django/hash-pool.js'
import { LoginEffects } from '../../../dist/plugin/login/login-effects.js'
import { startDjango } from '../django/start-django.js'
import {
  type TestApp,
  openRaw,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
  upgrade,
} from '../start-app.js'
import { logIn, renew } from '../renewals.js'

const { pool } = await startDjango()
const { rows } = await pool.query<{ password: string }>(
  'SELECT password FROM auth_user WHERE id = 6',
)
const OLD = rows[0]!.password
const PASSWORD = 'fast password 1'
const query = pool.query.bind(pool) as unknown as (text: string, values: unknown[]) => unknown

beforeEach(() =>
  pool.query('UPDATE auth_user SET password = $1, is_active = true WHERE id = 6', [OLD]),
)

const start = (options: Partial<PerspectiveOptions> = {}): Promise<TestApp> =>
  startApp(optionsFor(pool, { upgradePasswords: true, passwordIterations: 2000, ...options }))

async function stored(): Promise<string> {
  const { rows: now } = await pool.query<{ password: string }>(
    'SELECT password FROM auth_user WHERE id = 6',
  )
  return now[0]!.password
}

async function isAdmitted(app: TestApp, ticket: string): Promise<boolean> {
  const { status, socket } = await upgrade(app, ticket)
  socket.destroy()
  assert.ok(status === 101 || status === 401)
  return status === 101
}

const isWrite = (text: unknown): boolean => String(text).includes('RETURNING')
const warnings = (app: TestApp): string[] =>
  app.logs.filter((line) => (JSON.parse(line) as { level: number }).level >= 40)

describe('upgradePasswords', () => {
  test('writes the hash anew at a login; the ticket is good, and the next login writes nothing', async () => {
    const app = await start()
    assert.equal(await isAdmitted(app, await ticketOf(app, 1)), true)
    const anew = await stored()
    assert.match(anew, /^pbkdf2_sha256\$2000\$[A-Za-z0-9]{22}\$/)
    assert.equal(await checkPassword(PASSWORD, anew), true)
    assert.equal(await isAdmitted(app, await ticketOf(app, 1)), true)
    assert.equal(await stored(), anew)
    assert.deepEqual(warnings(app), [])
    assert.doesNotMatch(app.logs.join(''), /pbkdf2|fast password/)
  })

  test('a session and its renewal token live on, whether the write fails or succeeds (door case 53)', async (t) => {
    const app = await start({ sessions: { revalidateSeconds: 0.1 } })
    const refuse = t.mock.method(pool, 'query', (text: string, values: unknown[]) =>
      isWrite(text)
        ? Promise.reject(Object.assign(new Error('cancelled'), { code: '57014' }))
        : query(text, values),
    )
    const { ticket, renewal } = await logIn(app, 1)
    const session = await openRaw(app, ticket)
    await session.frame('username')
    let id = 0
    const assertHere = async (): Promise<void> => {
      // Some beats.
      await sleep(400)
      session.frames.length = 0
      session.socket.send(`[[1,${String(++id)},0,"whoAmI",[]]]`)
      await session.frame('"fast1"')
      assert.equal((await renew(app, renewal)).status, 200)
    }
    assert.equal(await stored(), OLD)
    await assertHere()
    refuse.mock.restore()
    await logIn(app, 1)
    const first = await stored()
    assert.notEqual(first, OLD)
    await assertHere()
    // A password of somebody else's making is another one.
    await pool.query('UPDATE auth_user SET password = $1 WHERE id = 6', ['another password'])
    assert.deepEqual(await session.closed, { code: 4401, reason: 'credentials-changed' })
    assert.equal((await renew(app, renewal)).status, 401)
  })

  test('ends no other session of the user (door case 53)', async () => {
    const app = await start()
    const plain = await start({ upgradePasswords: false })
    const before = await openRaw(plain, await ticketOf(plain, 1))
    await before.frame('username')
    await ticketOf(app, 1)
    assert.notEqual(await stored(), OLD)
    before.socket.send('[[1,1,0,"whoAmI",[]]]')
    await before.frame('"fast1"]')
    before.socket.close(1000)
    await until(() => plain.slots() === 0, 'the slot')
  })

  test('is off unless asked for, and not for a wrong password or an inactive user (cases 23, 55)', async () => {
    const app = await start()
    const off = await start({ upgradePasswords: false })
    await ticketOf(off, 1)
    const undefinedOption = {
      upgradePasswords: undefined,
    } as unknown as Partial<PerspectiveOptions>
    await ticketOf(await start(undefinedOption), 1)
    assert.equal((await postLogin(app, { username: 'fast1', password: 'wrong' })).status, 401)
    await pool.query('UPDATE auth_user SET is_active = false WHERE id = 6')
    // Django writes it before it looks whether the user is active; here a login that fails writes nothing.
    assert.equal((await postLogin(app, { username: 'fast1', password: PASSWORD })).status, 401)
    assert.equal(await stored(), OLD)
  })

  test('not where a hook refuses', async () => {
    const app = await start({
      loginHooks: {
        succeeded: () => {
          throw new LoginRefusedError('No.')
        },
      },
    })
    assert.equal((await postLogin(app, { username: 'fast1', password: PASSWORD })).status, 403)
    assert.equal(await stored(), OLD)
  })

  test('loses against a new password; its ticket is dead then (case 54; door case 12)', async (t) => {
    const app = await start()
    const changed = await makePassword('another password', { iterations: 2000 })
    t.mock.method(pool, 'query', async (text: string, values: unknown[]) => {
      if (isWrite(text)) await query('UPDATE auth_user SET password = $1 WHERE id = 6', [changed])
      return query(text, values)
    })
    const ticket = await ticketOf(app, 1)
    assert.equal(await stored(), changed)
    assert.equal(await isAdmitted(app, ticket), false)
    assert.deepEqual(warnings(app), [])
  })

  test("loses against Django's own upgrade, and the ticket is good (case 54)", async (t) => {
    const app = await start()
    const theirs = await makePassword(PASSWORD, { iterations: 3000 })
    t.mock.method(pool, 'query', async (text: string, values: unknown[]) => {
      if (isWrite(text)) await query('UPDATE auth_user SET password = $1 WHERE id = 6', [theirs])
      return query(text, values)
    })
    const ticket = await ticketOf(app, 1)
    assert.equal(await stored(), theirs)
    assert.equal(await isAdmitted(app, ticket), true)
  })

  test('is done once where the user logs in ten times at once; every ticket is good', async (t) => {
    const app = await start()
    const asked = t.mock.method(pool, 'query')
    const tickets = await Promise.all(Array.from({ length: 10 }, () => ticketOf(app, 1)))
    const writes = asked.mock.calls.filter(({ arguments: [text] }) => isWrite(text))
    assert.ok(writes.length < 10, String(writes.length))
    for (const ticket of tickets) assert.equal(await isAdmitted(app, ticket), true)
  })

  test('fails no login: no privilege, no connection, no free worker', async (t) => {
    const app = await start()
    let code = 'ECONNRESET'
    const refuse = t.mock.method(pool, 'query', (text: string, values: unknown[]) =>
      isWrite(text)
        ? Promise.reject(
            Object.assign(new Error('permission denied for table auth_user'), { code }),
          )
        : query(text, values),
    )
    assert.equal(await isAdmitted(app, await ticketOf(app, 1)), true)
    code = '42501'
    assert.equal(await isAdmitted(app, await ticketOf(app, 1)), true)
    refuse.mock.restore()
    const derive = t.mock.method(hashPool, 'derive')
    assert.equal(await isAdmitted(app, await ticketOf(app, 1)), true)
    // Refused once: nothing is derived for what cannot be written.
    assert.equal(derive.mock.callCount(), 1)
    assert.equal(await stored(), OLD)
    derive.mock.restore()
    const lines = warnings(app)
    assert.equal(lines.length, 1, lines.join(''))
    assert.match(lines[0]!, /an upgraded password cannot be written.*upgradePasswords: false/)
    assert.doesNotMatch(lines[0]!, /denied|pbkdf2/)

    const busy = await start()
    const run = hashPool.derive.bind(hashPool)
    let count = 0
    t.mock.method(hashPool, 'derive', (...args: Parameters<typeof run>) =>
      ++count === 2 ? Promise.reject(new Error('full')) : run(...args),
    )
    assert.equal(await isAdmitted(busy, await ticketOf(busy, 1)), true)
    assert.equal(await stored(), OLD)
    assert.equal(await isAdmitted(busy, await ticketOf(busy, 1)), true)
    assert.notEqual(await stored(), OLD, 'tried again')
    assert.deepEqual(warnings(busy), [])
  })

  test('is told to whoever holds sessions before it can be seen in the table (door case 53)', async (t) => {
    const app = await start()
    const users = new DjangoUsers(pool)
    const order: unknown[] = []
    const write = users.replacePassword.bind(users)
    t.mock.method(users, 'replacePassword', (...args: Parameters<typeof write>) => {
      order.push('written')
      return write(...args)
    })
    const effects = new LoginEffects({
      users,
      passwords: { iterations: 2000 },
      options: { updateLastLogin: false, upgradePasswords: true, hooks: {} },
      log: app.app.log,
      passwordUpgraded: ({ id }, from, to) => order.push([id, from, to]),
    })
    const account = (await users.accountById('6'))!
    const before = { user: account.user, binding: account.password }
    const { signal } = new AbortController()
    const bound = await effects.loggedIn(before, PASSWORD, signal)
    assert.equal(bound.binding, await stored())
    assert.deepEqual(order, [['6', OLD, bound.binding], 'written'])
    // A login whose password was never sent upgrades nothing.
    const again = await effects.loggedIn(before, null, signal)
    assert.equal(again.binding, OLD)
  })

  test('is refused at register where nothing would be written with the preferred hasher', async () => {
    for (const hashers of [['md5'], ['bcrypt', 'pbkdf2_sha256'], ['pbkdf2_wrapped_md5']] as const) {
      await assert.rejects(start({ hashers }), {
        code: 'PB_ERR_OPT_INVALID',
        message:
          /^option upgradePasswords: expected false, or one of pbkdf2_sha256, .*, got true with /,
      })
      await start({ hashers, upgradePasswords: false })
    }
  })
})
