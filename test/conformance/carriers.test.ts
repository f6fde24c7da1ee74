// The same conversation over every carrier: memory, a WebSocket, the Fastify plugin, and the served client in a browser.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import Fastify from 'fastify'
import perspective, { Avatar, type RemoteMethods } from 'fastify-perspective'
import { Broker, localPair, webSocketTransport } from 'fastify-perspective/broker'
import { login } from 'fastify-perspective/client'
import { WebSocket, WebSocketServer } from 'ws'
import { loadDjango, startPostgres } from '../../tools/postgres/start.js'
import { launchChromium, needsChromium } from '../support/chromium.js'
import { EXPECTED, converse, makeMind, makeServer } from './suite.js'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

class TestAvatar extends Avatar<object> {
  static readonly remote: RemoteMethods<{ server(): object }> = { server: true }
  server(): object {
    return makeServer(() => this.mind)
  }
}

test('over memory', async () => {
  const mindOf = (): unknown => pair[1].root
  const pair: [Broker, Broker] = localPair({ root: makeMind() }, { root: makeServer(mindOf) })
  const [page, server] = pair
  assert.deepEqual(await converse(page.root), EXPECTED)
  page.close()
  assert.equal((await server.closed).code, 1000)
})

test('over a WebSocket', async (t) => {
  const listener = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  t.after(() => {
    listener.close()
  })
  await once(listener, 'listening')
  const servers: Broker[] = []
  listener.on('connection', (socket) => {
    const broker: Broker = new Broker(webSocketTransport(socket), {
      root: makeServer(() => broker.root),
    })
    servers.push(broker)
  })
  const socket = new WebSocket(`ws://127.0.0.1:${String((listener.address() as AddressInfo).port)}`)
  const page = new Broker(webSocketTransport(socket), { root: makeMind() })
  assert.deepEqual(await converse(page.root), EXPECTED)
  page.close(4000, 'done')
  assert.deepEqual(await servers[0]?.closed, { code: 4000, reason: 'done', byPeer: true })
})

describe('through the Fastify plugin', () => {
  const app = Fastify()
  let stopPostgres: () => Promise<unknown> = () => Promise.resolve()
  let origin = ''
  before(async () => {
    const postgres = await startPostgres()
    stopPostgres = () => postgres.stop()
    await loadDjango(postgres.url)
    const port = await freePort()
    // The browser's origin is the server's own, whose port is not known before it listens.
    await app.register(perspective, {
      prefix: '/perspective',
      database: postgres.url,
      ticket: { secret: 'a secret for this test, which is long enough' },
      allowedOrigins: [`http://127.0.0.1:${String(port)}`],
      realm: (session) => new TestAvatar(session),
    })
    app.get('/', (_request, reply) =>
      reply.type('text/html').send('<!doctype html><title>page</title>'),
    )
    origin = await app.listen({ host: '127.0.0.1', port })
  })
  after(async () => {
    await app.close()
    await stopPostgres()
  })

  test('from Node, with a login', async () => {
    const session = await login<TestAvatar>(
      `${origin}/perspective`,
      { username: 'fast1', password: 'fast password 1' },
      { mind: makeMind(), WebSocket },
    )
    assert.deepEqual(
      await converse(await (session.perspective as never as { server(): unknown }).server()),
      EXPECTED,
    )
    await session.logout()
    assert.equal((await session.ended).code, 1000)
  })

  test('from a page in Chromium, with the served client', needsChromium(), async (t) => {
    const browser = await launchChromium()
    t.after(() => browser.close())
    const page = await browser.newPage()
    await page.goto(origin)
    // A transpiler may name functions by a helper that the page does not have.
    const script = `(async () => {
      globalThis.__name = (value) => value
      const { login, reference } = await import('/perspective/client.js')
      const mind = reference({ ask: (question) => question + '? Yes.' })
      const session = await login('/perspective', { username: 'fast1', password: 'fast password 1' }, { mind })
      const result = await (${converse.toString()})(await session.perspective.server())
      await session.logout()
      return { result, code: (await session.ended).code }
    })()`
    assert.deepEqual(await page.evaluate(script), { result: EXPECTED, code: 1000 })
  })
})
