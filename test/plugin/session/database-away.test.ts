// PostgreSQL stopped and started again under live sessions: nobody new comes in, who is here stays for a while, no longer.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { loadDjango, startPostgres } from '../../../tools/postgres/start.js'
import {
  type RawSession,
  type TestApp,
  assertAlive,
  events,
  openSession,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
  upgrade,
} from '../start-app.js'

const dataDirectory = await mkdtemp(join(tmpdir(), 'perspective-away-'))
let postgres = await startPostgres({ dataDirectory })
const { url } = postgres
await loadDjango(url)
const port = Number(new URL(url).port)
after(async () => {
  await postgres.stop()
  await rm(dataDirectory, { recursive: true, force: true })
})

const start = (graceSeconds: number): Promise<TestApp> =>
  startApp(optionsFor(url, { sessions: { revalidateSeconds: 0.2, graceSeconds } }))

const logged = (app: TestApp, text: string): string[] =>
  app.logs.filter((line) => line.includes(text))

describe('PostgreSQL stopped and started (door case 51, 41)', () => {
  test(
    'within the time of grace sessions stay, nobody new comes in, and one warning is logged',
    { timeout: 90_000 },
    async () => {
      const app = await start(300)
      const session = await openSession(app, 1)
      const ticket = await ticketOf(app, 2)
      await postgres.stop()
      const isAway = (): boolean => app.app.perspective.stats().authorityAge > 2
      await until(isAway, 'ten missed beats', 20_000)
      await assertAlive(session)
      for (const answer of [
        await upgrade(app, ticket),
        await postLogin(app, { username: 'fast1', password: 'fast password 1' }),
      ]) {
        assert.equal(answer.status, 503)
        assert.ok(Number(answer.headers['retry-after']) >= 5)
        assert.match(answer.body, /PB_ERR_DB_UNAVAILABLE/)
      }
      assert.equal(logged(app, 'the authority does not answer').length, 1)
      assert.doesNotMatch(app.logs.join(''), /SELECT|postgres:/)
      postgres = await startPostgres({ dataDirectory, port })
      await until(() => logged(app, 'the authority is back').length === 1, 'its return', 20_000)
      await assertAlive(session)
      assert.ok(app.app.perspective.stats().authorityAge < 2)
      const other = await openSession(app, 2)
      for (const { socket } of [other, session]) socket.close(1000)
      await session.closed
      await app.close()
    },
  )

  test(
    'beyond it every session ends with 4503, none at once with all others; then all is well again',
    { timeout: 90_000 },
    async () => {
      events.length = 0
      const app = await start(1)
      const all: RawSession[] = []
      for (let n = 0; n < 15; n++) all.push(await openSession(app, 1 + (n % 3)))
      const ended: number[] = []
      for (const { closed } of all) void closed.then(() => ended.push(performance.now()))
      await postgres.stop()
      for (const { closed } of all) {
        assert.deepEqual(await closed, { code: 4503, reason: 'no-authority' })
      }
      assert.equal(logged(app, 'its sessions end').length, 1)
      assert.equal(events.filter((event) => event === 'detached lost').length, 15)
      // 100 ms for each session, at random: all 15 in one fifth of that is one chance in ten thousand millions.
      assert.ok(Math.max(...ended) - Math.min(...ended) > 300, 'a stampede')
      postgres = await startPostgres({ dataDirectory, port })
      const again = await openSession(app, 1)
      await assertAlive(again)
      await app.close()
    },
  )

  test(
    'back before their turn: those who have not ended stay, and a user who was deactivated meanwhile ends',
    { timeout: 90_000 },
    async () => {
      const app = await start(300)
      const [stays, ends] = [await openSession(app, 1), await openSession(app, 2)]
      await postgres.stop()
      await until(
        () => logged(app, 'the authority does not answer').length === 1,
        'a missed beat',
        20_000,
      )
      postgres = await startPostgres({ dataDirectory, port })
      const { default: pg } = await import('pg')
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query('UPDATE auth_user SET is_active = false WHERE id = 7')
      assert.deepEqual(await ends.closed, { code: 4401, reason: 'deactivated' })
      await assertAlive(stays)
      await client.end()
      await app.close()
    },
  )
})
