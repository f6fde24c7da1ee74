// The end of the app: every session is told, every avatar detached once, and close() does not wait for those who do not answer.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type AbortSignalLike, type Realm, currentCall } from 'fastify-perspective'
import { startDjango } from '../django/start-django.js'
import { holdQueries } from '../hold-queries.js'
import {
  SECRET,
  type TestApp,
  TestAvatar,
  events,
  openRaw,
  openWire,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
  upgradeText,
} from '../start-app.js'

const { pool, url } = await startDjango()

beforeEach(() => {
  events.length = 0
})

const start = (realm?: Realm): Promise<TestApp> =>
  startApp(optionsFor(pool, realm === undefined ? {} : { realm }))

/** Closes the app, which must be done in `ms`, with every slot given back. */
async function assertCloses(app: TestApp, ms: number): Promise<void> {
  const started = performance.now()
  await app.close()
  const took = performance.now() - started
  assert.ok(took < ms, `${String(took)} ms`)
  await until(() => app.slots() === 0, 'every slot')
  assert.equal(app.app.perspective.sessions.count, 0)
}

describe('app.close() (door case 71)', () => {
  test('1001 with a hint when to come back; each avatar detached once', async () => {
    const app = await start()
    const sessions = []
    for (const n of [1, 1, 2, 3]) {
      const session = await openRaw(app, await ticketOf(app, n))
      await session.frame('username')
      sessions.push(session)
    }
    await assertCloses(app, 4000)
    for (const { closed } of sessions) {
      const { code, reason } = await closed
      assert.equal(code, 1001)
      assert.deepEqual(JSON.parse(reason), { after: [1, 5] })
    }
    const detached = events.filter((event) => event === 'detached closing')
    assert.equal(detached.length, 4)
    assert.equal(events.length, 8)
  })

  test('calls that run end and are answered, later ones are refused, and nothing is logged as failed', async () => {
    let go = (): void => undefined
    class Working extends TestAvatar {
      override echo(value: unknown): Promise<unknown> {
        return new Promise((resolve) => (go = () => resolve(value)))
      }
    }
    const app = await start((session) => new Working(session))
    const [busy, idle] = [
      await openRaw(app, await ticketOf(app, 1)),
      await openRaw(app, await ticketOf(app, 2)),
    ]
    for (const page of [busy, idle]) await page.frame('username')
    busy.socket.send('[[1,1,0,"echo",["late"]]]')
    await until(() => app.app.perspective.stats().calls === 1, 'the call')
    const closed = app.close()
    assert.equal((await idle.closed).code, 1001, 'nobody waits for the calls of others')
    busy.socket.send('[[1,2,0,"whoAmI",[]],[2,0,"whoAmI",[]]]')
    await busy.frame('PB_ERR_CALL_CLOSING')
    assert.deepEqual(events, ['attached', 'attached', 'detached closing'])
    go()
    await busy.frame('[[3,1,"late"]]')
    assert.equal((await busy.closed).code, 1001)
    await closed
    assert.deepEqual(events.slice(3), ['detached closing'])
    assert.ok(!app.logs.some((line) => (JSON.parse(line) as { level: number }).level >= 40))
  })

  test('waits for detached', async () => {
    class Slow extends TestAvatar {
      override detached(): Promise<void> {
        return new Promise((resolve) => setTimeout(resolve, 300)).then(() => {
          events.push('done')
        })
      }
    }
    const app = await start((session) => new Slow(session))
    await (await openRaw(app, await ticketOf(app, 1))).frame('username')
    await assertCloses(app, 4500)
    assert.deepEqual(events, ['attached', 'done'])
  })

  test(
    'a peer that ignores the close frame is terminated (door hole 20)',
    { timeout: 20_000 },
    async () => {
      const app = await start()
      const wire = await openWire(app, upgradeText(await ticketOf(app, 1)))
      await until(() => wire.text().includes(' 101 '), 'the 101')
      // It says hello, and from then on nothing, not even to a close frame.
      wire.socket.write(Buffer.from('8187000000005b5b302c305d5d', 'hex'))
      await until(() => events.length === 1, 'attached')
      await assertCloses(app, 10_000)
      assert.deepEqual(events, ['attached', 'detached closing'])
      wire.socket.destroy()
    },
  )

  test('a page that is kicked and ignores it is terminated too', { timeout: 20_000 }, async () => {
    const app = await start()
    const wire = await openWire(app, upgradeText(await ticketOf(app, 1)))
    await until(() => wire.text().includes(' 101 '), 'the 101')
    wire.socket.write(Buffer.from('8187000000005b5b302c305d5d', 'hex'))
    await until(() => events.length === 1, 'attached')
    app.app.perspective.sessions.disconnect(6)
    assert.ok(await wire.ended())
    await until(() => app.slots() === 0, 'the slot')
    wire.socket.destroy()
  })

  test('an upgrade whose database does not answer: no session afterwards, close() in time', async (t) => {
    const app = await start()
    const ticket = await ticketOf(app, 1)
    const query = holdQueries(t, pool)
    const wire = await openWire(app, upgradeText(ticket))
    await until(() => query.waiting() === 1, 'the query')
    const closed = assertCloses(app, 10_000)
    setTimeout(() => query.go(), 200)
    await closed
    assert.match(wire.text(), /^HTTP\/1\.1 503 [^]*PB_ERR_SERVER_CLOSING/)
    assert.deepEqual(events, [])
    wire.socket.destroy()
  })

  test('a database handed in stays open; one of our own is closed', async () => {
    const app = await start()
    await postLogin(app, { username: 'fast1', password: 'fast password 1' })
    await app.close()
    assert.equal((await pool.query('SELECT 1')).rows.length, 1)
    const count = async (): Promise<number> => {
      const { rows } = await pool.query<{ n: number }>(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend'",
      )
      return rows[0]?.n ?? 0
    }
    const before = await count()
    const own = await startApp(optionsFor(url))
    await postLogin(own, { username: 'fast1', password: 'fast password 1' })
    assert.equal(await count(), before + 1)
    await own.close()
    const end = performance.now() + 2000
    while ((await count()) > before && performance.now() < end);
    assert.equal(await count(), before)
  })
})

// At once: each takes as long as it may, and none looks at what the others share.
describe('app.close() and what does not end (door case 71)', { concurrency: true }, () => {
  test(
    'a call holds it for 5 s and no longer; its signal aborts',
    { timeout: 30_000 },
    async () => {
      let signal: AbortSignalLike | undefined
      class Stuck extends TestAvatar {
        override echo(): Promise<unknown> {
          signal = currentCall().signal
          return new Promise(() => undefined)
        }
      }
      const app = await start((session) => new Stuck(session))
      const session = await openRaw(app, await ticketOf(app, 1))
      await session.frame('username')
      session.socket.send('[[1,1,0,"echo",[1]]]')
      await until(() => signal !== undefined, 'the call')
      await assertCloses(app, 15_000)
      assert.equal((await session.closed).code, 1001)
      assert.equal(signal?.aborted, true)
    },
  )

  test('detached holds it for some seconds and no longer', { timeout: 30_000 }, async () => {
    class Stuck extends TestAvatar {
      override detached(): Promise<void> {
        return new Promise(() => undefined)
      }
    }
    const stuck = await start((session) => new Stuck(session))
    await (await openRaw(stuck, await ticketOf(stuck, 1))).frame('username')
    await assertCloses(stuck, 15_000)
  })

  test('a realm that hangs: 1001, and close() in time', { timeout: 30_000 }, async () => {
    let called = false
    const app = await start(() => {
      called = true
      return new Promise(() => undefined)
    })
    const session = await openRaw(app, await ticketOf(app, 1))
    await until(() => called, 'the realm')
    await assertCloses(app, 15_000)
    assert.equal((await session.closed).code, 1001)
  })

  test(
    'a body that does not come does not hold it (door hole 20)',
    { timeout: 30_000 },
    async () => {
      const app = await start()
      const slow = await openWire(
        app,
        'POST /perspective/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
      )
      await until(() => app.logs.some((line) => line.includes('incoming request')), 'the request')
      await assertCloses(app, 20_000)
      slow.socket.destroy()
    },
  )
})

test('nothing keeps the process alive after close()', { timeout: 30_000 }, async () => {
  const code = `
    import Fastify from 'fastify'
    import perspective, { Avatar } from 'fastify-perspective'
    import { login } from 'fastify-perspective/client'
    import { WebSocket } from 'ws'
    class Silent extends Avatar { static remote = {} }
    const app = Fastify()
    await app.register(perspective, {
      database: process.env.DATABASE_URL,
      ticket: { secret: ${JSON.stringify(SECRET)} },
      allowedOrigins: [],
      realm: (session) => new Silent(session),
    })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    await login(url, { username: 'fast1', password: 'fast password 1' }, { WebSocket, reconnect: false })
    await login(url, { username: 'fast1', password: 'wrong' }, { WebSocket }).catch(() => undefined)
    await app.close()
    console.log('closed')
    const closedAt = performance.now()
    process.on('exit', () => console.log(performance.now() - closedAt))`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: fileURLToPath(new URL('../../../', import.meta.url)),
    env: { ...process.env, DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (data) => (output += String(data)))
  const status = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(status, 0, output)
  const [said, tookMs] = output.split('\n')
  assert.equal(said, 'closed')
  assert.ok(Number(tookMs) < 4000, `${String(tookMs)} ms`)
})
