// A real PostgreSQL that hangs, is killed in the middle, stops and starts again: 503 and never 401, and back by itself.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import pg from 'pg'
import { loadDjango, startPostgres } from '../../../tools/postgres/start.js'
import {
  type Answer,
  type TestApp,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
  upgrade,
} from '../start-app.js'

const dataDirectory = await mkdtemp(join(tmpdir(), 'perspective-restart-'))
let postgres = await startPostgres({ dataDirectory })
const { url } = postgres
const port = Number(new URL(url).port)
await loadDjango(url)
after(async () => {
  await postgres.stop()
  await rm(dataDirectory, { recursive: true, force: true })
})

const GOOD = { username: 'fast1', password: 'fast password 1' }

const start = (): Promise<TestApp> => startApp(optionsFor(url))

function assertAway({ status, headers, body }: Answer): void {
  assert.equal(status, 503, body)
  const { code, retryAfter } = JSON.parse(body) as { code: string; retryAfter: number }
  assert.equal(code, 'PB_ERR_DB_UNAVAILABLE')
  assert.ok(retryAfter >= 5 && retryAfter <= 10)
  assert.equal(headers['retry-after'], String(retryAfter))
}

/** Whoever knocks is told to come back: with right credentials, wrong ones, a name that is nobody's, or a ticket. */
async function everybodyIsAway(app: TestApp, ticket: string | null): Promise<void> {
  const answers = await Promise.all([
    postLogin(app, GOOD),
    postLogin(app, { ...GOOD, password: 'wrong' }),
    postLogin(app, { ...GOOD, username: 'nobody' }),
    ...(ticket === null ? [] : [upgrade(app, ticket)]),
  ])
  for (const answer of answers) assertAway(answer)
}

async function isBack(app: TestApp): Promise<void> {
  assert.equal((await postLogin(app, { ...GOOD, password: 'wrong' })).status, 401)
  const { status, socket } = await upgrade(app, await ticketOf(app, 1))
  assert.equal(status, 101)
  socket.destroy()
  await until(() => app.slots() === 0, 'the slot')
}

/** Holds every query of users back, until the work is done. */
async function whileLocked(work: () => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('BEGIN; LOCK TABLE auth_user IN ACCESS EXCLUSIVE MODE')
    await work()
  } finally {
    await client.end()
  }
}

/** Ends the backends that wait for the lock. */
const KILL = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`

describe('PostgreSQL is away (door case 41)', () => {
  test('killed in the middle of a query: 503, and the next one works', async () => {
    const app = await start()
    const ticket = await ticketOf(app, 1)
    // Not the one that holds the lock: in a transaction it would see the same backends for ever.
    const killer = new pg.Client({ connectionString: url })
    await killer.connect()
    await whileLocked(async () => {
      const away = everybodyIsAway(app, ticket)
      let killed = 0
      while (killed < 4) killed += (await killer.query(KILL)).rowCount ?? 0
      await away
    })
    await killer.end()
    await isBack(app)
  })

  test(
    'hanging with the query in its hands: 503, and back when it goes on',
    { timeout: 30_000 },
    async () => {
      const app = await start()
      const ticket = await ticketOf(app, 1)
      await whileLocked(() => everybodyIsAway(app, ticket))
      await isBack(app)
    },
  )

  test(
    'stopped while sessions are open: 503; started again: back without a restart',
    { timeout: 60_000 },
    async () => {
      const app = await start()
      const ticket = await ticketOf(app, 1)
      const { socket } = await upgrade(app, await ticketOf(app, 2))
      await postgres.stop()
      await everybodyIsAway(app, ticket)
      assert.equal(socket.readable, true, 'a session that is open stays')
      socket.destroy()
      // An app that is started now listens, and says the same.
      const late = await start()
      await everybodyIsAway(late, null)
      postgres = await startPostgres({ dataDirectory, port })
      await isBack(app)
      await isBack(late)
      for (const { logs } of [app, late]) {
        assert.doesNotMatch(logs.join(''), /postgres:\/\/|SELECT "|fast password|pbkdf2/)
      }
    },
  )
})
