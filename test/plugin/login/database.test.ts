import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { after, describe, test } from 'node:test'
import { startDjango } from '../django/start-django.js'
import { type Answer, optionsFor, postLogin, startApp, ticketOf, upgrade } from '../start-app.js'

const { url, pool } = await startDjango()

/** A way to PostgreSQL that can be cut or fall silent. */
const wire = await (async () => {
  const target = new URL(url)
  const { port, hostname } = target
  const sockets = new Set<Socket>()
  const state = { mode: 'open' as 'open' | 'silent' | 'refused' }
  const server = createServer((near) => {
    sockets.add(near)
    near.on('error', () => undefined).on('close', () => sockets.delete(near))
    if (state.mode === 'refused') return void near.destroy()
    if (state.mode === 'silent') return
    const far = connect(Number(port), hostname)
    far.on('error', () => near.destroy()).on('close', () => near.destroy())
    near.on('close', () => far.destroy())
    near.on('data', (data) => {
      if (state.mode === 'open') far.write(data)
    })
    far.on('data', (data) => near.write(data))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  target.port = String((server.address() as AddressInfo).port)
  return {
    url: target.href,
    state,
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
})()

const app = await startApp(optionsFor(wire.url))

const good = { username: 'fast1', password: 'fast password 1' }

function assertAway({ status, headers, body }: Answer): void {
  assert.equal(status, 503, body)
  const { code, retryAfter } = JSON.parse(body) as { code: string; retryAfter: number }
  assert.equal(code, 'PB_ERR_DB_UNAVAILABLE')
  assert.ok(retryAfter >= 5 && retryAfter <= 10)
  assert.equal(headers['retry-after'], String(retryAfter))
  assert.doesNotMatch(body, /ECONN|timeout|postgres|127\.0\.0\.1/)
}

/** Both doors that ask the database answer. */
async function bothAway(ticket: string): Promise<void> {
  const [login, socket] = await Promise.all([postLogin(app, good), upgrade(app, ticket)])
  assertAway(login)
  assertAway(socket)
}

async function bothBack(): Promise<void> {
  const { status, socket } = await upgrade(app, await ticketOf(app, 1))
  assert.equal(status, 101)
  socket.destroy()
}

describe('the database is away (door case 41; T77)', () => {
  test('refused and cut: 503 and never 401; back by itself', async () => {
    await bothBack()
    const ticket = await ticketOf(app, 1)
    wire.state.mode = 'refused'
    wire.cut()
    await bothAway(ticket)
    wire.state.mode = 'open'
    await bothBack()
  })

  test('silent: 503 in time; back by itself', { timeout: 15_000 }, async () => {
    const ticket = await ticketOf(app, 1)
    wire.state.mode = 'silent'
    await bothAway(ticket)
    // New connections are silent too.
    await bothAway(await mintedWhile(() => (wire.state.mode = 'open')))
    wire.state.mode = 'open'
    await bothBack()
  })

  test('backends killed: 503 at most once each; back by itself', async () => {
    await pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename IS NOT NULL',
    )
    const answers = []
    for (let n = 0; n < 4; n++) answers.push((await postLogin(app, good)).status)
    assert.ok(
      answers.every((status) => status === 200 || status === 503),
      String(answers),
    )
    assert.equal(answers.at(-1), 200)
    await bothBack()
  })

  test('a table that is not there: 503, and the log has the SQLSTATE and no query', async () => {
    const { rows } = await pool.query<{ current_database: string }>('SELECT current_database()')
    assert.ok(rows[0])
    const broken = await startApp(optionsFor(pool, { users: { table: 'nowhere' } }))
    assertAway(await postLogin(broken, good))
    const warning = broken.logs.find((line) => line.includes('42P01'))
    assert.ok(warning)
    assert.doesNotMatch(broken.logs.join(''), /SELECT|nowhere|fast1/)
  })

  test('slots are given back', async () => {
    const { status, socket } = await upgrade(app, await ticketOf(app, 1))
    assert.equal(status, 101)
    socket.destroy()
    await once(socket, 'close')
    while (app.slots() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(app.app.perspective.sessions.count, 0)
  })
})

/** A ticket from while the wire was open, and silent again. */
async function mintedWhile(open: () => void): Promise<string> {
  open()
  wire.cut()
  const ticket = await ticketOf(app, 1)
  wire.cut()
  wire.state.mode = 'silent'
  return ticket
}
