// A session over one connection after the other: its states, what lives on, what dies, and what calls come to meanwhile.
import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { inspect } from 'node:util'
import {
  ConnectionLostError,
  type Remote,
  connect,
  isReference,
  login,
  onDisconnect,
  release,
  tell,
  withOptions,
} from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { DoorServer } from './door-server.js'
import {
  type Page,
  FAST,
  cameBack,
  enter,
  failure,
  follow,
  names,
  reached,
  until,
} from './pages.js'
import type { Contract } from './root.js'

const server = await DoorServer.start()
after(() => server.close())
const unhandled: unknown[] = []
process.on('unhandledRejection', (error) => unhandled.push(error))
afterEach(async () => {
  server.refusals.clear()
  await server.empty()
  assert.deepEqual(unhandled, [])
})

/** Ends the newest connection without a word. */
const lose = (): void => {
  server.newest.socket.terminate()
}

describe('a session that loses its connection', () => {
  test('T31 comes back by itself: a new avatar answers through the same handle', async () => {
    const page = await enter(server.url)
    const { session } = page
    const { perspective } = session
    const first = await perspective.number()
    lose()
    await cameBack(page)
    assert.deepEqual(names(page), ['waiting', 'connecting', 'open'])
    assert.equal(session.perspective, perspective)
    assert.equal(await perspective.number(), first + 1)
    assert.deepEqual(session.user, { id: '1', username: '1' })
    const [waiting] = page.states
    assert.ok(waiting?.name === 'waiting' && Object.isFrozen(waiting))
    assert.deepEqual(waiting.reason, { code: 1006, reason: '', byPeer: true })
    assert.equal(waiting.attempt, 1)
    assert.ok(waiting.until instanceof Date)
    lose()
    await cameBack(page)
    assert.equal(await perspective.number(), first + 2)
    await session.logout()
  })

  test('calls that wait reject as unknown, before the state changes; calls meanwhile as not sent', async () => {
    const page = await enter(server.url)
    const { perspective } = page.session
    const order: string[] = []
    page.session.subscribe(({ name }) => order.push(name))
    const pending = perspective.hang().catch((error: unknown) => {
      order.push((error as ConnectionLostError).outcome)
      return error
    })
    await perspective.echo(1)
    // The same tick in which the loss is heard, and before anybody could be told of it.
    server.refusals.set('renew', { status: 503, code: 'PB_ERR_DB_UNAVAILABLE' })
    lose()
    assert.ok((await pending) instanceof ConnectionLostError)
    const early = failure(perspective.echo(2))
    await reached(page, 'waiting')
    for (const call of [early, failure(perspective.echo(3)), failure(perspective.thing().name())]) {
      const error = await call
      assert.deepEqual([error['code'], error['outcome']], ['PB_ERR_CONNECTION_LOST', 'not-sent'])
    }
    tell(perspective).note('into the void')
    assert.deepEqual(order.slice(0, 2), ['unknown', 'waiting'])
    await reached(page, 'connecting')
    assert.equal((await failure(perspective.echo(4)))['outcome'], 'not-sent')
    server.refusals.clear()
    await reached(page, 'open')
    assert.equal(await perspective.echo(5), 5)
    assert.deepEqual(server.newest.root.notes, [])
    await page.session.logout()
    assert.equal((await failure(perspective.echo(6)))['code'], 'PB_ERR_REF_DEAD')
  })

  test('a call that is never awaited is no unhandled rejection, waiting or ended', async () => {
    const page = await enter(server.url)
    const { perspective } = page.session
    void perspective.hang()
    lose()
    await reached(page, 'waiting')
    void perspective.echo(1)
    void perspective.thing().name()
    await page.session.logout()
    void perspective.echo(2)
  })

  test('other references and streams end with their connection', async () => {
    const page = await enter(server.url)
    const { perspective } = page.session
    const thing = await perspective.thing()
    const stream = await perspective.count(2)
    const seen: number[] = []
    const read = failure(
      (async () => {
        for await (const n of stream) seen.push(n)
      })(),
    )
    await until(() => seen.length === 2, 'the numbers')
    lose()
    await cameBack(page)
    assert.equal((await read)['code'], 'PB_ERR_CONNECTION_LOST')
    assert.equal((await failure(thing.name()))['code'], 'PB_ERR_REF_DEAD')
    assert.equal(
      await perspective.echo(thing),
      thing,
      'to the new avatar it is an object of the page',
    )
    assert.equal(await (await perspective.thing()).name(), 'a thing')
    await page.session.logout()
  })

  test('the mind answers every new avatar', async () => {
    const mind = { ask: (question: string) => `${question}?` }
    const page = await enter(server.url, { mind })
    assert.equal(await page.session.perspective.ask('who'), 'who?')
    lose()
    await cameBack(page)
    assert.equal(await page.session.perspective.ask('when'), 'when?')
    await page.session.logout()
  })

  test('a listener can subscribe anew at every open', async () => {
    const page = await enter(server.url)
    const { session } = page
    const noted = (): void => {
      if (session.state.name === 'open') tell(session.perspective).note('here I am')
    }
    session.subscribe(noted)
    noted()
    lose()
    await cameBack(page)
    await session.perspective.echo(1)
    assert.deepEqual(server.newest.root.notes, ['here I am'])
    await session.logout()
  })
})

describe('the lasting handle', () => {
  test('sent home it is the root itself, deep in a value, too; received it is itself', async () => {
    const page = await enter(server.url)
    const { perspective } = page.session
    for (let round = 0; round < 2; round++) {
      assert.equal(await perspective.isSelf(perspective), true)
      assert.equal(await perspective.isSelf({ root: perspective }), true)
      assert.equal(await perspective.self(), perspective)
      assert.equal(await perspective.echo(perspective), perspective)
      assert.equal(server.newest.broker.stats.imported, 0, 'nothing of the page is held for it')
      lose()
      await cameBack(page)
    }
    await page.session.logout()
  })

  test('pipelines, tells, takes options, and views of it last as it does', async () => {
    const page = await enter(server.url)
    const { perspective } = page.session
    const hurried = withOptions(perspective, { timeoutMs: 20 })
    const { echo } = perspective
    const told = tell(perspective)
    for (let round = 0; round < 2; round++) {
      assert.equal(await perspective.thing().name(), 'a thing')
      assert.equal((await failure(hurried.hang()))['code'], 'PB_ERR_CALL_TIMEOUT')
      assert.equal(await hurried.isSelf(hurried), true)
      assert.equal(await echo('destructured'), 'destructured')
      told.note(`round ${String(round)}`)
      await perspective.echo(1)
      assert.deepEqual(server.newest.root.notes, [`round ${String(round)}`])
      assert.equal(await perspective.isSelf(perspective.self()), true)
      lose()
      await cameBack(page)
    }
    release(perspective)
    perspective[Symbol.dispose]()
    assert.equal(await perspective.echo('still there'), 'still there')
    await page.session.logout()
  })

  test('onDisconnect hears of the connection that there is, once', async () => {
    const page = await enter(server.url)
    const heard: number[] = []
    onDisconnect(page.session.perspective, ({ code }) => heard.push(code))
    lose()
    await cameBack(page)
    assert.deepEqual(heard, [1006])
    const stop = onDisconnect(page.session.perspective, ({ code }) => heard.push(code))
    onDisconnect(page.session.perspective, ({ code }) => heard.push(-code))
    stop()
    await page.session.logout()
    assert.deepEqual(heard, [1006, -1000])
  })

  test('P38 handed to another session it is called through this page', async () => {
    const [one, other] = await Promise.all([enter(server.url), enter(server.url, {}, '2')])
    const number = await one.session.perspective.number()
    const back = (await other.session.perspective.echo(one.session.perspective)) as Remote<Contract>
    assert.equal(back, one.session.perspective)
    assert.equal(await back.number(), number)
    await Promise.all([one.session.logout(), other.session.logout()])
  })

  test('asks nobody when it is logged, compared, awaited or put into JSON', async () => {
    const page = await enter(server.url)
    const { perspective } = page.session
    assert.equal(await Promise.resolve(perspective), perspective)
    assert.equal(JSON.stringify({ perspective }), '{"perspective":"RemoteReference(root)"}')
    assert.match(inspect(perspective), /RemoteReference\(root\)/)
    assert.ok(isReference(perspective))
    assert.throws(() => Object.assign(perspective, { echo: 1 }), TypeError)
    await page.session.logout()
  })
})

describe('where the next ticket comes from', () => {
  const never: [name: string, make: () => Promise<Page>][] = [
    [
      'a text opens one socket',
      async () =>
        follow(
          await connect<Contract>(server.url, server.mintTicket('1'), {
            WebSocket,
            reconnect: FAST,
          }),
        ),
    ],
    ['reconnect: false', () => enter(server.url, { reconnect: false })],
  ]
  for (const [name, make] of never) {
    test(`${name}: the session ends with its connection`, async () => {
      const page = await make()
      lose()
      assert.deepEqual(await page.session.ended, { code: 1006, reason: '', byPeer: true })
      assert.deepEqual(names(page), ['ended'])
      assert.equal((await failure(page.session.perspective.echo(1)))['code'], 'PB_ERR_REF_DEAD')
    })
  }

  test('a function is asked again, and ends the session by UnauthorizedLoginError', async () => {
    const { UnauthorizedLoginError } = await import('fastify-perspective/client')
    const answers: (() => string)[] = [
      () => server.mintTicket('1'),
      () => {
        throw new TypeError('fetch failed')
      },
      () => server.mintTicket('1'),
      () => {
        throw new UnauthorizedLoginError()
      },
    ]
    let asked = 0
    const page = follow(
      await connect<Contract>(server.url, () => answers[asked++]?.() ?? '', {
        WebSocket,
        reconnect: FAST,
      }),
    )
    lose()
    await cameBack(page)
    const reasons = page.states.flatMap((state) => ('reason' in state ? [state.reason.reason] : []))
    assert.deepEqual(reasons, ['', 'fetch failed'])
    lose()
    const reason = await page.session.ended
    assert.deepEqual(reason, { code: 4401, reason: 'PB_ERR_LOGIN_REJECTED', byPeer: true })
    assert.equal(asked, 4)
  })

  test("a function's ticket for somebody else ends the session, and that one's", async () => {
    const users = ['1', '2']
    const page = follow(
      await connect<Contract>(server.url, () => server.mintTicket(users.shift() ?? ''), {
        WebSocket,
        reconnect: FAST,
      }),
    )
    lose()
    assert.deepEqual(await page.session.ended, {
      code: 4401,
      reason: 'PB_ERR_USER_CHANGED',
      byPeer: true,
    })
    assert.equal(page.session.user.id, '1')
    await until(() => server.newest.closed?.code === 1000, "the other's session")
  })

  test('a cookie is shown again, for the same user or nobody', async () => {
    server.cookieUser = '7'
    const start = async () =>
      follow(await login<Contract>(server.url, { type: 'session' }, { WebSocket, reconnect: FAST }))
    const page = await start()
    assert.equal(page.session.user.id, '7')
    lose()
    await cameBack(page)
    assert.deepEqual(server.requests.at(-2)?.body, { expect: '7' })
    server.cookieUser = '8'
    lose()
    assert.equal((await page.session.ended).reason, 'PB_ERR_USER_CHANGED')

    const other = await start()
    server.cookieUser = null
    lose()
    assert.deepEqual(await other.session.ended, {
      code: 4401,
      reason: 'PB_ERR_LOGIN_REJECTED',
      byPeer: true,
    })
    const error = await failure(start())
    assert.equal(error['code'], 'PB_ERR_LOGIN_REJECTED')
  })

  test('options that cannot be', async () => {
    for (const reconnect of [
      { minDelayMs: -1 },
      { maxDelayMs: NaN },
      { minDelayMs: 9, maxDelayMs: 8 },
    ]) {
      const error = await failure(enter(server.url, { reconnect }))
      assert.ok(error instanceof TypeError)
      assert.match(error.message, /^options\.reconnect: expected 0 ≤ minDelayMs ≤ maxDelayMs, got /)
    }
  })
})

describe('with nothing handed in', () => {
  test('Node from 22 on, and whatever else has a WebSocket: a session that comes back', async () => {
    const options = { WebSocket: undefined, mind: { ask: () => 'here' } }
    if (!('WebSocket' in globalThis)) {
      assert.match((await failure(enter(server.url, options))).message, /^options\.WebSocket: /)
      return
    }
    const page = await enter(server.url, options)
    assert.equal(await page.session.perspective.ask('where'), 'here')
    lose()
    await cameBack(page)
    assert.equal(await page.session.perspective.ask('where'), 'here')
    await page.session.logout()
  })
})
