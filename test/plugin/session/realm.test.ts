// What an application can get wrong in its realm and its avatars: the page hears a code, the log why, and nothing stays.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { Avatar, type AvatarSession, LoginDeniedError, type Realm } from 'fastify-perspective'
import { startDjango } from '../django/start-django.js'
import {
  type RawSession,
  type TestApp,
  TestAvatar,
  events,
  openRaw,
  optionsFor,
  startApp,
  ticketOf,
  until,
} from '../start-app.js'

const { pool } = await startDjango()
let realm: (session: AvatarSession) => unknown = () => null
const app = await startApp(optionsFor(pool, { realm: ((session) => realm(session)) as Realm }))

const rejections: unknown[] = []
process.on('unhandledRejection', (error) => rejections.push(error))

beforeEach(() => {
  events.length = 0
  app.logs.length = 0
})
afterEach(async () => {
  await until(() => app.slots() === 0, 'every slot')
  assert.equal(app.app.perspective.sessions.count, 0)
  assert.deepEqual(rejections, [])
})

const open = async (by: TestApp = app): Promise<RawSession> => openRaw(by, await ticketOf(by, 1))

const logged = (text: RegExp): string | undefined => app.logs.find((line) => text.test(line))

/** Opens a session whose realm is `wrong`; it ends with 1011, and only the log says why. */
async function assertFails(wrong: (session: AvatarSession) => unknown, log: RegExp): Promise<void> {
  realm = wrong
  const session = await open()
  assert.deepEqual(await session.closed, { code: 1011, reason: 'PB_ERR_SESSION_FAILED' })
  assert.deepEqual(session.frames, [])
  assert.ok(logged(log), app.logs.join(''))
}

describe('a realm (door case 24)', () => {
  test('that throws, at once or later: 1011, and the log has the stack', async () => {
    const fail = (): never => {
      throw new RangeError('no room')
    }
    await assertFails(fail, /no room/)
    const line = JSON.parse(logged(/no room/) ?? '{}') as Record<string, Record<string, string>>
    assert.equal(line['error']?.['type'], 'RangeError')
    assert.match(line['error']?.['stack'] ?? '', /realm\.test/)
    assert.ok(line['sessionId'] && line['userKey'])
    await assertFails(async () => fail(), /no room/)
    await assertFails(() => Promise.reject(new Error('later')), /later/)
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what an application may do
    await assertFails(() => Promise.reject(), /undefined/)
  })

  test('that throws what cannot even be looked at, in realm, attached or detached: an ending like the others', async () => {
    for (const thrown of [
      Object.create(null),
      { toString: 1, valueOf: 1 },
      Object.assign(new Error('x'), { message: Object.create(null) as string }),
      Object.defineProperty({}, 'code', { get: () => assert.fail() }),
    ] as unknown[]) {
      const fail = (): never => {
        throw thrown
      }
      await assertFails(fail, /the realm failed/)
      await assertFails(
        (session) => Object.assign(new TestAvatar(session), { attached: fail }),
        /attached failed/,
      )
      realm = (session) => Object.assign(new TestAvatar(session), { detached: fail })
      const session = await open()
      await session.frame('username')
      session.socket.close(1000)
      await until(() => logged(/detached failed/) !== undefined, 'the log')
      app.logs.length = 0
    }
  })

  test('that answers no avatar: 1011, and the log says what came', async () => {
    for (const [nonsense, kind] of [
      [null, /got null/],
      [undefined, /got undefined/],
      [{}, /got object/],
      ['avatar', /got string/],
      [class extends TestAvatar {}, /got function/],
    ] as const) {
      await assertFails(() => nonsense, kind)
    }
  })

  test("that answers another session's avatar: 1011 for this one, and the other lives", async () => {
    let shared: TestAvatar | undefined
    realm = (session) => (shared ??= new TestAvatar(session))
    const first = await open()
    await first.frame('username')
    await assertFails(() => shared, /an avatar of another session/)
    assert.deepEqual(events, ['attached'])
    first.socket.send('[[1,1,0,"whoAmI",[]]]')
    await first.frame('"fast1"]')
    first.socket.close(1000)
    await until(() => events.length === 2, 'detached')
    assert.deepEqual(events, ['attached', 'detached logout'])
  })

  test('that denies: 4403 with its message, at info', async () => {
    for (const message of ['Only on Mondays.', 'ü'.repeat(200)]) {
      realm = () => {
        throw new LoginDeniedError(message)
      }
      const { code, reason } = await (await open()).closed
      assert.equal(code, 4403)
      assert.ok(message.startsWith(reason) && reason.length > 10)
    }
    assert.equal(logged(/"level":[56]0/), undefined)
  })

  test('that hangs: 1011 after 10 s; an avatar that comes later is detached, not attached', async (t) => {
    const waiting: (() => void)[] = []
    realm = (session) =>
      new Promise((resolve) => waiting.push(() => resolve(new TestAvatar(session))))
    const session = await openRaw(app, await ticketOf(app, 1), null)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    session.socket.send('[[0,0]]')
    await until(() => waiting.length === 1, 'the realm')
    t.mock.timers.tick(9_999)
    assert.equal(logged(/the realm took over/), undefined)
    t.mock.timers.tick(1)
    assert.deepEqual(await session.closed, { code: 1011, reason: 'PB_ERR_SESSION_FAILED' })
    assert.ok(logged(/the realm took over 10 s/))
    waiting[0]?.()
    await until(() => events.length > 0, 'detached')
    assert.deepEqual(events, ['detached failed'])
  })

  test('whose page goes meanwhile: detached once, and attached never (door case 25)', async () => {
    for (const leave of ['close', 'terminate'] as const) {
      events.length = 0
      let make = (): void => undefined
      let signal: AbortSignal | undefined
      realm = (session) => {
        signal = session.signal
        return new Promise((resolve) => (make = () => resolve(new TestAvatar(session))))
      }
      const session = await open()
      await until(() => signal !== undefined, 'the realm')
      session.socket[leave]()
      await until(() => signal?.aborted === true, 'the signal')
      make()
      await until(() => events.length > 0, 'detached')
      assert.deepEqual(events, ['detached lost'])
    }
  })

  test('that closes its own session: 4440, detached once', async () => {
    realm = (session) => {
      const avatar = new TestAvatar(session)
      session.close('not now')
      session.close('again')
      return avatar
    }
    assert.deepEqual(await (await open()).closed, { code: 4440, reason: 'not now' })
    await until(() => events.length > 0, 'detached')
    assert.deepEqual(events, ['detached kicked'])
  })

  test('a page that says no hello: 4408 after 10 s, and no realm', async (t) => {
    realm = () => events.push('realm')
    const ticket = await ticketOf(app, 1)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const session = await openRaw(app, ticket, null)
    await until(() => app.slots() === 1, 'the session')
    t.mock.timers.tick(10_000)
    assert.equal((await session.closed).code, 4408)
    assert.deepEqual(events, [])
  })
})

describe('an avatar (door case 24)', () => {
  test('whose attached throws: 1011, and detached once', async () => {
    for (const fail of [() => Promise.reject(new Error('oh no')), () => assert.fail('oh no')]) {
      events.length = 0
      await assertFails(
        (session) =>
          new (class extends TestAvatar {
            override attached(): Promise<void> {
              return fail()
            }
          })(session),
        /oh no/,
      )
      assert.deepEqual(events, ['detached failed'])
    }
  })

  test('whose attached hangs: 1011 after 10 s, and detached once', async (t) => {
    let isAttached = (): void => undefined
    realm = (session) =>
      new (class extends TestAvatar {
        override attached(): Promise<void> {
          return new Promise((resolve) => {
            events.push('attached')
            isAttached = resolve
          })
        }
      })(session)
    const session = await openRaw(app, await ticketOf(app, 1), null)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    session.socket.send('[[0,0]]')
    await until(() => events.length === 1, 'attached')
    t.mock.timers.tick(10_000)
    assert.equal((await session.closed).code, 1011)
    isAttached()
    await until(() => app.slots() === 0, 'the slot')
    assert.deepEqual(events, ['attached', 'detached failed'])
  })

  test('whose page goes while attached runs: detached once, never open', async () => {
    let go = (): void => undefined
    realm = (session) =>
      new (class extends TestAvatar {
        override attached(): Promise<void> {
          events.push('attached')
          return new Promise((resolve) => (go = resolve))
        }
      })(session)
    const session = await open()
    await until(() => events.length === 1, 'attached')
    session.socket.terminate()
    await until(() => events.length === 2, 'detached')
    go()
    await until(() => app.slots() === 0, 'the slot')
    assert.deepEqual(events, ['attached', 'detached lost'])
    assert.equal(logged(/session open/), undefined)
  })

  test('whose detached throws or hangs: logged, and nothing stays', async () => {
    for (const end of [
      () => assert.fail('at the end'),
      () => Promise.reject(new Error('at the end')),
      () => new Promise<void>(() => undefined),
    ]) {
      realm = (session) =>
        new (class extends TestAvatar {
          override detached(): Promise<void> {
            events.push('detached')
            return end()
          }
        })(session)
      events.length = 0
      const session = await open()
      await session.frame('username')
      session.socket.close(1000)
      await session.closed
      await until(() => app.slots() === 0, 'the slot')
      assert.deepEqual(events, ['attached', 'detached'])
    }
    assert.ok(logged(/at the end/))
  })

  test('whose class has no table, or one that does not fit: 1011, and the log says what to write', async () => {
    class Bare extends Avatar {
      override detached(): void {
        events.push('detached')
      }
    }
    await assertFails((session) => new Bare(session), /class Bare .*static readonly remote/)
    assert.deepEqual(events, ['detached'])
    class Misspelt extends Avatar {
      static readonly remote = { shout: true }
    }
    await assertFails((session) => new Misspelt(session), /remote\.shout is listed/)
  })

  test('that uses the mind in attached and detached: answered, then dead; nothing unhandled', async () => {
    realm = (session) =>
      new (class extends TestAvatar {
        override async attached(): Promise<void> {
          events.push(this.session.hasMind, await (this.mind as never as { ask(): unknown }).ask())
        }
        override detached(): void {
          void (this.mind as never as { ask(): Promise<unknown> }).ask()
        }
      })(session)
    const session = await openRaw(app, await ticketOf(app, 1), '[[0,1]]')
    await session.frame('"ask"')
    session.socket.send('[[3,1,42]]')
    await session.frame('username')
    assert.deepEqual(events, [true, 42])
    session.socket.close()
    await session.closed
  })
})
