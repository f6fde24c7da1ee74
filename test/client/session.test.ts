// The life of a session in the page: calls both ways, its states, and every way in which it ends.
import assert from 'node:assert/strict'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import type { AvatarSession } from 'fastify-perspective'
import { type Remote, type Session, type SessionState, login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { startDjango } from '../plugin/django/start-django.js'
import {
  TestAvatar,
  type TestContract,
  events,
  optionsFor,
  startApp,
  until,
} from '../plugin/start-app.js'

interface Mind {
  ask(question: unknown): unknown
}

class AskingAvatar extends TestAvatar {
  override echo(value: unknown): unknown {
    return value === 'ask' ? (this.mind as unknown as Remote<Mind>).ask('why?') : value
  }
}

const { pool } = await startDjango()
const start = () => startApp(optionsFor(pool, { realm: (session) => new AskingAvatar(session) }))
const app = await start()
after(() => app.close())
const { sessions } = app.app.perspective

const unhandled: unknown[] = []
process.on('unhandledRejection', (error) => unhandled.push(error))

beforeEach(() => {
  events.length = 0
})
afterEach(async () => {
  await until(() => app.slots() === 0 && sessions.count === 0, 'every slot')
  assert.deepEqual(unhandled, [])
})

function enter(mind?: object, url = app.url, options = {}): Promise<Session<TestContract>> {
  const credentials = { username: 'fast1', password: 'fast password 1' }
  return login<TestContract, undefined>(url, credentials, { WebSocket, mind, ...options } as never)
}

/** Follows the states of a session. */
function follow(session: Session<TestContract>): SessionState[] {
  const states: SessionState[] = []
  session.subscribe((state) => states.push(state))
  return states
}

const brokerOf = (session: AvatarSession | undefined) => session as unknown as { mind: object }

describe('a session', () => {
  test('logout resolves when the server has heard of it, and detaches with logout', async () => {
    const session = await enter()
    const states = follow(session)
    assert.deepEqual(session.state, { name: 'open' })
    await session.logout()
    await until(() => events.length === 2, 'detached')
    assert.deepEqual(events, ['attached', 'detached logout'])
    const reason = await session.ended
    assert.deepEqual(reason, { code: 1000, reason: 'logout', byPeer: false })
    assert.deepEqual(states, [{ name: 'ended', reason }])
    assert.equal(session.state, states[0], 'a snapshot: the same object')
    assert.ok(Object.isFrozen(session.state))
    await session.logout()
    await assert.rejects(async () => session.perspective.whoAmI(), { code: 'PB_ERR_REF_DEAD' })
  })

  test('logout is bound, and runs at the end of await using', async () => {
    const { logout } = await enter()
    await logout()
    let ended: Promise<unknown>
    {
      await using session = await enter()
      ended = session.ended
      assert.equal(await session.perspective.whoAmI(), 'fast1')
    }
    await ended
    await until(() => events.length === 4, 'detached')
    assert.equal(events.filter((event) => event === 'detached logout').length, 2)
  })

  test('calls under way at a logout are settled', async () => {
    const session = await enter({ ask: () => new Promise(() => undefined) })
    const call = session.perspective.echo('ask')
    await until(() => sessions.count === 1, 'the session')
    const rejected = assert.rejects(async () => call, { code: 'PB_ERR_CONNECTION_LOST' })
    await session.logout()
    await rejected
  })

  test('listeners: each subscription is its own, and one that throws stops no other', async (t) => {
    const error = t.mock.method(console, 'error', () => undefined)
    const session = await enter()
    const heard: string[] = []
    const listener = (): void => void heard.push('twice')
    session.subscribe(listener)
    const unsubscribe = session.subscribe(listener)
    session.subscribe(() => {
      throw new Error('a bad listener')
    })
    session.subscribe(() => heard.push('last'))
    unsubscribe()
    unsubscribe()
    await session.logout()
    await session.ended
    assert.deepEqual(heard, ['twice', 'last'])
    assert.equal(error.mock.callCount(), 1)
  })

  test('the server asks the page, and the page may fail: the server hears no details', async (t) => {
    const error = t.mock.method(console, 'error', () => undefined)
    const session = await enter({
      ask: (question: unknown) => {
        if (question === 'why?') throw new Error('a secret of the page')
      },
    })
    await assert.rejects(async () => session.perspective.echo('ask'), {
      code: 'PB_ERR_CALL_FAILED',
    })
    assert.equal(error.mock.callCount(), 1)
    assert.match(String(error.mock.calls[0]?.arguments[0]), /the mind's ask failed/)
    assert.doesNotMatch(app.logs.join(''), /a secret of the page/)
    assert.equal(await session.perspective.whoAmI(), 'fast1')
    await session.logout()
  })

  test('a page without a mind: the server knows, and its calls reject', async () => {
    const session = await enter()
    assert.equal(sessions.of(6)[0]?.hasMind, false)
    await assert.rejects(async () => session.perspective.echo('ask'), {
      code: 'PB_ERR_CALL_FAILED',
    })
    await session.logout()
  })

  test('an error that the avatar did not declare: a code and an id, the rest is in the log', async () => {
    const session = await enter()
    const error = await session.perspective.fail().then(
      () => assert.fail('it was taken'),
      (reason: unknown) => reason as Error & { code: string },
    )
    assert.equal(error.code, 'PB_ERR_CALL_FAILED')
    assert.doesNotMatch(error.message, /SELECT/)
    const [id = ''] = /[\w-]{8,}$|[\w-]{8,}(?=\W*$)/.exec(error.message) ?? []
    const line = app.logs.find((text) => text.includes('SELECT secret'))
    assert.ok(line?.includes(id) && id !== '', error.message)
    await session.logout()
  })

  test('kicked: ended says so, and nothing is left of it on the server', async () => {
    const session = await enter({ ask: () => 1 })
    const states = follow(session)
    assert.equal(await session.perspective.echo('ask'), 1)
    const [open] = sessions.of(6)
    sessions.disconnect(6, 'banned')
    assert.deepEqual(await session.ended, { code: 4440, reason: 'banned', byPeer: true })
    assert.equal(states.length, 1)
    await assert.rejects(async () => (brokerOf(open).mind as Remote<Mind>).ask('x'), {
      code: 'PB_ERR_REF_DEAD',
    })
    await session.logout()
  })

  test('the server shuts down: 1001, in a word; a new login is refused as such', async () => {
    const leaving = await start()
    const session = await enter({}, leaving.url, { reconnect: false })
    await leaving.close()
    const reason = await session.ended
    assert.deepEqual(reason, { code: 1001, reason: 'closing', byPeer: true })
    await assert.rejects(enter({}, leaving.url), { code: 'PB_ERR_CLIENT_UNREACHABLE' })
  })

  test('the network goes without a word: ended with 1006, calls reject, detached with lost', async () => {
    const sockets: WebSocket[] = []
    class Spied extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols)
        sockets.push(this)
      }
    }
    const session = await login<TestContract>(
      app.url,
      { username: 'fast1', password: 'fast password 1' },
      {
        WebSocket: Spied,
        reconnect: false,
        mind: { ask: () => new Promise(() => undefined) },
      } as never,
    )
    const call = session.perspective.echo('ask')
    const rejected = assert.rejects(async () => call, {
      code: 'PB_ERR_CONNECTION_LOST',
      outcome: 'unknown',
    })
    await until(() => sessions.count === 1, 'the session')
    sockets[0]?.terminate()
    assert.equal((await session.ended).code, 1006)
    await rejected
    await until(() => events.length === 2, 'detached')
    assert.deepEqual(events, ['attached', 'detached lost'])
    await session.logout()
  })

  test('fifty at once: each answers for its own, and all slots come back', async () => {
    const wide = await startApp(optionsFor(pool, { sessions: { perUser: 50 } }))
    const all = await Promise.all(Array.from({ length: 50 }, () => enter({}, wide.url)))
    const said = await Promise.all(all.map(({ perspective }, n) => perspective.echo(n)))
    assert.deepEqual(said, [...all.keys()])
    assert.equal(wide.app.perspective.sessions.count, 50)
    await Promise.all(all.map(({ logout }) => logout()))
    await until(() => wide.slots() === 0 && wide.app.perspective.sessions.count === 0, 'all')
  })
})
