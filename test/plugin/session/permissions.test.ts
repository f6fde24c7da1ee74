// What the avatar's user may do, as Django says it; and that the user is data wherever it goes.
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { inspect } from 'node:util'
import {
  Avatar,
  Referenceable,
  type RemoteMethods,
  type SessionUser,
  unchecked,
} from 'fastify-perspective'
import { login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { startDjango } from '../django/start-django.js'
import { optionsFor, startApp, until } from '../start-app.js'

const { pool } = await startDjango()

/** As JavaScript sees it. */
interface Asked {
  hasPerm(permission: string, object?: unknown): Promise<boolean>
}

class Drawer extends Referenceable {
  static readonly remote = { read: true, burn: { requires: 'chat.delete_line' } } as const
  read(): string {
    return 'paper'
  }
  burn(): string {
    return 'ash'
  }
}

class Clerk extends Avatar {
  static readonly remote: RemoteMethods<Clerk> = {
    me: true,
    wrapped: true,
    drawer: true,
    may: unchecked,
    mayIn: unchecked,
  }
  me(): SessionUser {
    return this.user
  }
  wrapped(): { user: SessionUser; at: Date } {
    return { user: this.user, at: new Date(0) }
  }
  drawer(): Drawer {
    return new Drawer()
  }
  may(permission: string): Promise<boolean> {
    return this.user.hasPerm(permission)
  }
  mayIn(appLabel: string): Promise<boolean> {
    const { hasModulePerms } = this.user
    return hasModulePerms(appLabel)
  }
}

const app = await startApp(optionsFor(pool, { realm: (session) => new Clerk(session) }))
const { sessions } = app.app.perspective
afterEach(() => until(() => app.slots() === 0, 'every slot'))

const open = (n: number) =>
  login<Clerk>(
    app.url,
    { username: `fast${String(n)}`, password: `fast password ${String(n)}` },
    { WebSocket },
  )

/** The one open session of a user. */
function sessionOf(id: number) {
  const [session] = sessions.of(id)
  assert.ok(session)
  return session as typeof session & { refreshed(authority: { groups: readonly string[] }): void }
}

describe('user.groups, user.hasPerm and user.hasModulePerms', () => {
  test('are those of the user and its groups, read with the user in one query (cases 56 to 58)', async (t) => {
    await pool.query(`INSERT INTO auth_group (id, name) VALUES (20, 'readers "of" {all}');
      INSERT INTO auth_user_groups (user_id, group_id) VALUES (7, 20), (7, 1)`)
    const ticket = await fetch(`${app.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'fast2', password: 'fast password 2' }),
    }).then(async (response) => ((await response.json()) as { ticket: string }).ticket)
    const query = t.mock.method(pool, 'query')
    const { connect } = await import('fastify-perspective/client')
    const page = await connect<Clerk>(app.url, ticket, { WebSocket })
    assert.equal(query.mock.callCount(), 1)
    const { user } = sessionOf(7)
    assert.deepEqual(user.groups, ['moderators', 'readers "of" {all}'])
    assert.ok(Object.isFrozen(user) && Object.isFrozen(user.groups))
    assert.equal(await page.perspective.may('chat.delete_line'), true)
    assert.equal(query.mock.callCount(), 2)
    const asked = ['delete_line', 'chat.add_line', 'chat.', '', 'auth.add_user', 'chat.DELETE_LINE']
    for (const name of asked) assert.equal(await page.perspective.may(name), false, name)
    const labels = {
      chat: true,
      auth: false,
      chatt: false,
      cha: false,
      '': false,
      'chat.delete': false,
    }
    for (const [label, expected] of Object.entries(labels)) {
      assert.equal(await page.perspective.mayIn(label), expected, label)
    }
    assert.equal(query.mock.callCount(), 2, 'all of it from one read')
    await page.logout()
  })

  test('are nothing for one object, unless for a superuser (case 60)', async () => {
    await pool.query(`UPDATE auth_user SET is_superuser = true WHERE id = 6;
      INSERT INTO auth_user_groups (user_id, group_id) VALUES (8, 1)`)
    const [root, member] = [await open(1), await open(3)]
    // No type lets an object through; a caller without types must not be told yes.
    for (const [id, expected] of [
      [6, true],
      [8, false],
    ] as const) {
      const session = sessionOf(id)
      for (const asked of [session.user, session] as unknown as Asked[]) {
        assert.equal(await asked.hasPerm('chat.delete_line'), true)
        assert.equal(await asked.hasPerm('chat.delete_line', null), true)
        assert.equal(await asked.hasPerm('chat.delete_line', { line: 1 }), expected)
        assert.equal(await asked.hasPerm('chat.delete_line', 0), expected)
      }
    }
    await Promise.all([root.logout(), member.logout()])
    await pool.query(`UPDATE auth_user SET is_superuser = false WHERE id = 6;
      DELETE FROM auth_user_groups WHERE user_id = 8`)
  })

  test('are all of an active superuser, of any name, and nothing for staff alone (case 56)', async () => {
    await pool.query('UPDATE auth_user SET is_superuser = true WHERE id = 6')
    await pool.query('UPDATE auth_user SET is_staff = true WHERE id = 8')
    const [root, staff] = [await open(1), await open(3)]
    for (const name of ['chat.delete_line', 'no.such', 'x']) {
      assert.equal(await root.perspective.may(name), true, name)
      assert.equal(await staff.perspective.may(name), false, name)
    }
    assert.equal(await root.perspective.mayIn('nowhere'), true)
    assert.equal(await staff.perspective.mayIn('chat'), false)
    await Promise.all([root.logout(), staff.logout()])
    await pool.query(
      'UPDATE auth_user SET is_superuser = false, is_staff = false WHERE id IN (6, 8)',
    )
  })

  test('change on an open session: a superuser no more, not even active (door case 54)', async (t) => {
    await pool.query('UPDATE auth_user SET is_superuser = true WHERE id = 6')
    const page = await open(1)
    assert.equal(await page.perspective.may('no.such'), true)
    for (const change of ['is_superuser = false', 'is_superuser = true, is_active = false']) {
      await pool.query(`UPDATE auth_user SET ${change} WHERE id = 6`)
      const now = performance.now()
      const clock = t.mock.method(performance, 'now', () => now + 10_001)
      assert.equal(await page.perspective.may('no.such'), false, change)
      assert.equal(await page.perspective.mayIn('chat'), false, change)
      clock.mock.restore()
      sessionOf(6).refreshed({ groups: [change] })
    }
    await pool.query('UPDATE auth_user SET is_superuser = false, is_active = true WHERE id = 6')
    await page.logout()
  })

  test('follow what a periodic check says of the groups, and ask for permissions anew with it', async () => {
    const page = await open(3)
    const session = sessionOf(8)
    assert.deepEqual(session.user.groups, [])
    assert.equal(await page.perspective.may('chat.delete_line'), false)
    await pool.query('INSERT INTO auth_user_groups (user_id, group_id) VALUES (8, 1)')
    const groups = ['moderators']
    session.refreshed({ groups })
    groups.push('not ours')
    assert.deepEqual(session.user.groups, ['moderators'])
    assert.ok(Object.isFrozen(session.user.groups))
    assert.equal(await page.perspective.may('chat.delete_line'), true)
    await page.logout()
  })

  test('of a model without a table of groups: none, and of one that cannot be read: no session', async () => {
    await pool.query('CREATE TABLE plain AS TABLE auth_user')
    const plain = await startApp(
      optionsFor(pool, { users: { table: 'plain' }, realm: (session) => new Clerk(session) }),
    )
    const credentials = { username: 'fast2', password: 'fast password 2' }
    const page = await login<Clerk>(plain.url, credentials, { WebSocket })
    assert.deepEqual((await page.perspective.me()).groups, [])
    await page.logout()
    await pool.query('CREATE TABLE plain_groups (member_id int, group_id int)')
    await assert.rejects(login(plain.url, credentials, { WebSocket }), {
      code: 'PB_ERR_DB_UNAVAILABLE',
    })
    assert.ok(plain.logs.some((line) => line.includes('42703')))
    await plain.close()
  })
})

describe('a user that is sent, logged or copied', () => {
  test('is data: its methods go nowhere', async () => {
    const page = await open(2)
    const { user } = sessionOf(7)
    const fields = ['groups', 'id', 'isActive', 'isStaff', 'isSuperuser', 'lastLogin', 'username']
    const received = await page.perspective.me()
    assert.deepEqual(Object.keys(received).sort(), fields)
    assert.deepEqual(received.groups, ['moderators', 'readers "of" {all}'])
    assert.equal('hasPerm' in received, false)
    const { user: inside } = await page.perspective.wrapped()
    assert.deepEqual(Object.keys(inside).sort(), fields)
    for (const copy of [
      JSON.parse(JSON.stringify(user)) as object,
      { ...user },
      structuredClone(user),
    ]) {
      assert.deepEqual(Object.keys(copy).sort(), fields)
    }
    app.app.log.info({ user }, 'somebody')
    const texts = [JSON.stringify(user), inspect(user), app.logs.join('')]
    for (const text of texts) assert.doesNotMatch(text, /hasPerm|hasModulePerms|pbkdf2/)
    await page.logout()
  })
})

describe('requires, on an object that an avatar returns', () => {
  test('is asked of the same user, and refused with the same code', async () => {
    const [plain, member] = [await open(1), await open(2)]
    const drawer = await plain.perspective.drawer()
    assert.equal(await drawer.read(), 'paper')
    await assert.rejects(drawer.burn(), { name: 'CallError', code: 'PB_ERR_CALL_DENIED' })
    // In one round trip, too: the permission is asked before the method runs, not before the object is there.
    await assert.rejects(plain.perspective.drawer().burn(), { code: 'PB_ERR_CALL_DENIED' })
    assert.equal(await member.perspective.drawer().burn(), 'ash')
    await Promise.all([plain.logout(), member.logout()])
  })
})
