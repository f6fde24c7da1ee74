// The plugin in an app that has @fastify/websocket of its own: before or after, with odd options, or in a sibling scope.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import fastifyWebsocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import { login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { startDjango } from './django/start-django.js'
import {
  type AppSetup,
  type TestApp,
  type TestContract,
  openRaw,
  openWire,
  optionsFor,
  startApp,
  ticketOf,
  until,
  upgrade,
  upgradeText,
} from './start-app.js'

const { pool } = await startDjango()
const good = { username: 'fast1', password: 'fast password 1' }

async function addEcho(instance: FastifyInstance): Promise<void> {
  instance.get('/echo', { websocket: true }, (socket) => {
    socket.on('message', (data) => socket.send(`echo ${(data as Buffer).toString()}`))
  })
}

const ODD = {
  handleProtocols: () => false,
  maxPayload: 100,
  perMessageDeflate: true,
  clientTracking: false,
  verifyClient: () => true,
}

const HOSTS: Record<string, AppSetup> = {
  'registered before': {
    before: async (app) => {
      await app.register(fastifyWebsocket)
      await app.register(addEcho)
    },
  },
  'registered after': {
    after: async (app) => {
      await app.register(fastifyWebsocket)
      await app.register(addEcho)
    },
  },
  'with odd options, before': {
    before: async (app) => {
      await app.register(fastifyWebsocket, { options: ODD as never })
      await app.register(addEcho)
    },
  },
  'with a preClose of its own': {
    before: async (app) => {
      await app.register(fastifyWebsocket, {
        preClose: function (this: FastifyInstance, done: () => void) {
          for (const client of this.websocketServer.clients) client.close(1012)
          done()
        },
      })
      await app.register(addEcho)
    },
  },
  'in a sibling scope, before': {
    before: async (app) => {
      await app.register(async (sibling) => {
        await sibling.register(fastifyWebsocket)
        await sibling.register(addEcho)
      })
    },
  },
  'in a sibling scope, after': {
    after: async (app) => {
      await app.register(async (sibling) => {
        await sibling.register(fastifyWebsocket)
        await sibling.register(addEcho)
      })
    },
  },
}

const start = (setup: AppSetup): Promise<TestApp> => startApp(optionsFor(pool), setup)

async function assertEchoes(app: TestApp): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${String(app.port)}/echo`)
  await once(socket, 'open')
  socket.send('hello')
  const [data] = (await once(socket, 'message')) as [Buffer]
  assert.equal(data.toString(), 'echo hello')
  socket.close()
  await once(socket, 'close')
}

for (const [name, setup] of Object.entries(HOSTS)) {
  describe(`the app's own @fastify/websocket, ${name} (door hole 8)`, () => {
    test('both go on working', async () => {
      const app = await start(setup)
      await assertEchoes(app)
      const session = await login<TestContract>(app.url, good, { WebSocket })
      const long = 'x'.repeat(200_000)
      assert.equal(await session.perspective.echo(long), long, "our frames, not the app's")
      await assertEchoes(app)
      await session.logout()
      await until(() => app.slots() === 0, 'the slot')
      const warnings = app.logs.filter(
        (line) => (JSON.parse(line) as { level: number }).level >= 40,
      )
      assert.deepEqual(warnings, [])
    })

    test('a ticket is seen by nobody, and refusals end their connection', async () => {
      const app = await start(setup)
      const { status, headers, socket } = await upgrade(app, await ticketOf(app, 1))
      assert.equal(status, 101)
      assert.equal(headers['sec-websocket-protocol'], 'perspective.v1')
      assert.equal(headers['sec-websocket-extensions'], undefined)
      socket.destroy()
      const ticket = await ticketOf(app, 1)
      for (const wrong of [
        { origin: 'null' },
        { 'sec-websocket-version': '7' },
        { upgrade: 'h2c' },
      ]) {
        const wire = await openWire(app, upgradeText(ticket, wrong))
        assert.ok(await wire.ended(), JSON.stringify(wrong))
        assert.match(wire.text(), /^HTTP\/1\.1 4/)
        wire.socket.destroy()
      }
      assert.doesNotMatch(app.logs.join(''), /eyJ/)
      await until(() => app.slots() === 0, 'the slots')
    })

    test('close() gives our sessions 1001 and ends in time, also with upgrades that come meanwhile', async () => {
      const app = await startApp(optionsFor(pool), setup)
      const session = await openRaw(app, await ticketOf(app, 1))
      await session.frame('username')
      const ticket = await ticketOf(app, 1)
      const wire = await openWire(app, '')
      const started = performance.now()
      const closed = app.close()
      setImmediate(() => wire.socket.write(upgradeText(ticket)))
      assert.equal((await session.closed).code, 1001)
      await closed
      assert.ok(performance.now() - started < 4000, `${String(performance.now() - started)} ms`)
      assert.doesNotMatch(wire.text(), / 101 /)
      wire.socket.destroy()
      assert.equal(app.slots(), 0)
    })
  })
}
