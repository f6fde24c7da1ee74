// What an upgrade has to show, and that a refused one leaves nothing behind.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, describe, test } from 'node:test'
import { startDjango } from '../django/start-django.js'
import { holdQueries } from '../hold-queries.js'
import {
  PAGE,
  ask,
  events,
  openRaw,
  openWire,
  optionsFor,
  startApp,
  ticketOf,
  until,
  upgrade,
  upgradeHeaders,
  upgradeText,
} from '../start-app.js'

const { pool } = await startDjango()
const app = await startApp(optionsFor(pool))

afterEach(async () => {
  await until(() => app.slots() === 0, 'every slot')
  assert.equal(app.app.perspective.sessions.count, 0)
  assert.deepEqual(registered(), [])
})

function registered(): unknown[] {
  return (app.app.perspective.sessions as unknown as { entries(): unknown[] }).entries()
}

const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d+) /.exec(text)?.[1] ?? 0)

/** Sends an upgrade by hand; its connection must end by the server's doing. */
async function refused(headers: Record<string, string | null>, line?: string): Promise<string> {
  const wire = await openWire(app, upgradeText(await ticketOf(app, 1), headers, line))
  assert.ok(await wire.ended(), `stays open: ${JSON.stringify([headers, line, wire.text()])}`)
  wire.socket.destroy()
  return wire.text()
}

describe('GET <prefix>/socket', () => {
  test('a good one becomes a session', async () => {
    events.length = 0
    const session = await openRaw(app, await ticketOf(app, 1))
    assert.equal(session.socket.protocol, 'perspective.v1')
    assert.equal(session.socket.extensions, '', 'no compression')
    const [[kind, root, { renewal, ...info }]] = JSON.parse(await session.frame('user')) as [
      [number, number, { renewal: { id: string; token: string } }],
    ]
    assert.deepEqual(
      [kind, root, info],
      [0, 1, { user: { id: '6', username: 'fast1' }, spreadMs: 1000 }],
    )
    assert.deepEqual(Object.keys(renewal).sort(), ['id', 'token'])
    session.socket.close(1000)
    await session.closed
    await until(() => events.length === 2, 'both')
    assert.deepEqual(events, ['attached', 'detached logout'])
  })

  test('an origin that is not listed, letter by letter: 403; the listed one: 101 (door case 14)', async () => {
    for (const origin of [
      ...[
        'null',
        'https://evil.example',
        `${PAGE}.evil.example`,
        `${PAGE}:8443`,
        PAGE.toUpperCase(),
      ],
      ...['http://page.example', 'https://page.example.', 'https://page.example/', ''],
    ]) {
      const text = await refused({ origin })
      assert.equal(statusOf(text), 403, origin)
      assert.match(text, /PB_ERR_ORIGIN_REFUSED/)
    }
    const ticket = await ticketOf(app, 1, { origin: PAGE })
    const { status, socket } = await upgrade(app, ticket, { origin: PAGE })
    socket.destroy()
    assert.equal(status, 101)
  })

  test('a ticket of another origin, or of none: 401', async () => {
    for (const [at, shown] of [
      [{ origin: PAGE }, {}],
      [{}, { origin: PAGE }],
    ]) {
      const { status } = await upgrade(app, await ticketOf(app, 1, at), shown)
      assert.equal(status, 401)
    }
  })

  test('offers: all but perspective.v1 and one ticket, in any order, are 400 (door case 16)', async () => {
    const ticket = await ticketOf(app, 1)
    for (const offer of [
      ...[null, 'perspective.v1', `ticket.${ticket}`, `perspective.v2, ticket.${ticket}`],
      ...[`perspective.v1, ticket.${ticket}, ticket.${ticket}`, `perspective.v1, ${ticket}`],
      ...[`perspective.v1, perspective.v2, ticket.${ticket}`, `graphql-ws, ticket.${ticket}`],
      ...[`PERSPECTIVE.V1, ticket.${ticket}`, `perspective.v1, Ticket.${ticket}`],
    ]) {
      const text = await refused({ 'sec-websocket-protocol': offer })
      assert.equal(statusOf(text), 400, String(offer).replaceAll(ticket, '…'))
      assert.match(text, /PB_ERR_UPGRADE_PROTOCOL/)
      assert.doesNotMatch(text, /eyJ/)
    }
    // None of those has spent it.
    const offer = `ticket.${ticket}, perspective.v1`
    const { status, headers, socket } = await ask(`${app.url}/socket`, {
      headers: upgradeHeaders(offer),
    })
    socket.destroy()
    assert.equal(status, 101)
    assert.equal(headers['sec-websocket-protocol'], 'perspective.v1')
    assert.doesNotMatch(JSON.stringify(headers), /eyJ|ticket/)
  })

  test('two header lines are one list; an empty ticket is none', async () => {
    const ticket = await ticketOf(app, 1)
    const { status, socket } = await ask(`${app.url}/socket`, {
      headers: {
        ...upgradeHeaders(null),
        'sec-websocket-protocol': ['perspective.v1', `ticket.${ticket}`],
      },
    })
    socket.destroy()
    assert.equal(status, 101)
    assert.equal((await upgrade(app, '')).status, 401)
  })

  test('no upgrade: 426, and says to what; other methods: 4xx (door case 19)', async () => {
    const plain = await ask(`${app.url}/socket`)
    assert.equal(plain.status, 426)
    assert.equal(plain.headers['upgrade'], 'websocket')
    assert.match(plain.body, /PB_ERR_UPGRADE_REQUIRED/)
    for (const method of ['HEAD', 'POST', 'OPTIONS']) {
      const { status } = await ask(`${app.url}/socket`, { method })
      assert.equal(status, 404, method)
    }
    for (const method of ['HEAD', 'POST']) {
      const text = await refused({}, `${method} /perspective/socket HTTP/1.1`)
      assert.equal(statusOf(text), 405, method)
    }
  })

  test('a handshake that is none: 4xx (door case 18)', async () => {
    for (const headers of [
      { 'sec-websocket-version': '7' },
      { 'sec-websocket-version': '14' },
      { 'sec-websocket-version': null },
      { 'sec-websocket-key': 'short' },
      { 'sec-websocket-key': null },
      { upgrade: 'h2c' },
      { upgrade: 'websocket, h2c' },
    ]) {
      const status = statusOf(await refused(headers))
      assert.ok(status >= 400 && status < 500, `${JSON.stringify(headers)}: ${String(status)}`)
    }
  })

  test('headers of 8 kB and 20 kB: 4xx (door case 18)', async () => {
    for (const size of [8000, 20_000]) {
      const offer = `perspective.v1, ticket.${'x'.repeat(size)}`
      const status = statusOf(await refused({ 'sec-websocket-protocol': offer }))
      assert.ok([400, 401, 431].includes(status), String(status))
    }
    const session = await openRaw(app, await ticketOf(app, 1))
    session.socket.close()
    await session.closed
  })

  test('spellings of the path do not show a ticket to anybody', async () => {
    for (const [path, status] of [
      ['/perspective/%73ocket', 101],
      ['/perspective//socket', 404],
      ['/perspective/socket/', 404],
      ['/elsewhere', 404],
    ] as const) {
      const wire = await openWire(
        app,
        upgradeText(await ticketOf(app, 1), {}, `GET ${path} HTTP/1.1`),
      )
      await until(() => wire.text() !== '', 'an answer')
      assert.equal(statusOf(wire.text()), status, path)
      if (status === 404) assert.ok(await wire.ended(), path)
      wire.socket.destroy()
    }
    const query = await refused(
      { 'sec-websocket-version': '1' },
      'GET /perspective/socket?a=1 HTTP/1.1',
    )
    assert.equal(statusOf(query), 400)
    assert.doesNotMatch(app.logs.join(''), /eyJ/)
  })

  test('frames in the packet of the request are read', async () => {
    const mask = randomBytes(4)
    const payload = Buffer.from('[[0,0]]').map((byte, index) => byte ^ (mask[index % 4] ?? 0))
    const frame = Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, payload])
    const wire = await openWire(app, upgradeText(await ticketOf(app, 1)) + frame.toString('latin1'))
    await until(() => wire.text().includes('"username":"fast1"'), 'hello')
    wire.socket.destroy()
  })

  test('a plain request that offers an upgrade to nobody is a plain request', async () => {
    const wire = await openWire(
      app,
      upgradeText(
        'x',
        { upgrade: 'h2c', 'sec-websocket-protocol': null },
        'GET /perspective/client.js HTTP/1.1',
      ),
    )
    assert.ok(await wire.ended())
    assert.equal(statusOf(wire.text()), 200)
    wire.socket.destroy()
  })
})

describe('a peer that vanishes', () => {
  for (const how of ['destroy', 'end'] as const) {
    test(`before the 101, by ${how}: no session, no slot (door hole 7)`, async (t) => {
      events.length = 0
      const ticket = await ticketOf(app, 1)
      const query = holdQueries(t, pool)
      const wire = await openWire(app, upgradeText(ticket))
      await until(() => query.waiting() > 0, 'the admission')
      wire.socket[how]()
      await new Promise((resolve) => setTimeout(resolve, 50))
      query.go()
      await until(() => app.slots() === 0, 'the slot')
      wire.socket.destroy()
      assert.deepEqual(events, [])
    })
  }
})
