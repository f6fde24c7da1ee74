/**
 * The server's process of the rows that need users: the plugin, a bare Fastify route, ws servers and socket.io,
 * each on a port of its own. Ends with the process that started it.
 */
import { pbkdf2 } from 'node:crypto'
import { type Server as HttpServer, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import pg from 'pg'
import perspective, {
  Avatar,
  ReferenceSet,
  type RemoteMethods,
  tell,
  unchecked,
} from 'fastify-perspective'
import { Server } from 'socket.io'
import { WebSocketServer } from 'ws'
import { SECRET_KEY } from '../../test/plugin/django/django-session.js'
import { listen } from '../contenders/socket-server.js'
import { answerCommands } from '../server-process.js'
import { serveChecked } from './checked-sockets.js'
import { inParallel } from './parallel.js'

export interface Mind {
  heard(value: unknown): void
}

export class Desk extends Avatar<Mind> {
  static readonly remote: RemoteMethods<Desk> = { echo: unchecked }
  echo(value: unknown): unknown {
    return value
  }
}

process.on('disconnect', () => process.exit(0))

const MANY = 1_000_000
const [, , databaseUrl, origin = ''] = process.argv

const app = Fastify()
await app.register(perspective, {
  database: databaseUrl,
  ticket: { secret: 'a secret for the benchmark, which is long enough', lifetimeSeconds: 60 },
  allowedOrigins: [origin],
  djangoSessions: { secretKeys: [SECRET_KEY] },
  realm: (session) => new Desk(session),
  // One address and few accounts make them all here.
  sessions: { perUser: MANY, total: MANY },
  rateLimits: {
    ...{ addressPerMinute: MANY, accountPer5Minutes: MANY, accountPerHour: MANY },
    ticketsPerMinute: MANY,
  },
})
await app.listen({ host: '127.0.0.1', port: 0 })

/** As many connections as the plugin's own, which is the default of both. */
const pool = new pg.Pool({ connectionString: databaseUrl })
const route = Fastify()
route.post('/ticket', async ({ headers }) => {
  const key = headers.cookie?.slice('sessionid='.length)
  const sql =
    'SELECT session_data FROM django_session WHERE session_key = $1 AND expire_date > now()'
  const { rows } = await pool.query<{ session_data: string }>(sql, [key])
  return { ticket: rows[0]?.session_data }
})
await route.listen({ host: '127.0.0.1', port: 0 })

const bare = createServer()
new WebSocketServer({ server: bare }).on('connection', (socket) => {
  socket.on('message', (data) => socket.send(data))
})

const checked = serveChecked(pool)

const rooms = createServer()
const io = new Server(rooms)
io.on('connection', (socket) => void socket.join('all'))

const servers: readonly HttpServer[] = [app.server, route.server, bare, checked, rooms]
let delays: IntervalHistogram | null = null

interface Order {
  readonly how: 'set' | 'each' | 'room'
  readonly value: unknown
}
let minds = new ReferenceSet<Mind>()
const broadcasts: Readonly<Record<Order['how'], (value: unknown) => void>> = {
  set: (value) => minds.tell.heard(value),
  each: (value) => {
    for (const mind of minds) tell(mind).heard(value)
  },
  room: (value) => void io.to('all').emit('heard', value),
}

answerCommands({
  connections: async () => {
    const counts = servers.map((server) => promisify(server.getConnections.bind(server))())
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
  },
  // `external` has the array buffers in it.
  memory: async () => {
    for (let times = 0; times < 4; times++) {
      globalThis.gc!()
      await setTimeout(20)
    }
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  },
  gather: () => {
    minds = new ReferenceSet<Mind>()
    for (const { avatar } of app.perspective.sessions) {
      if (avatar instanceof Desk) minds.add(avatar.mind)
    }
    return minds.size
  },
  broadcast: ({ how, value }: Order) => broadcasts[how](value),
  cpuMs: () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  },
  // As many at once as there are cores, as the plugin does: more would take others' share of them.
  pbkdf2: async ({ count, iterations }: { count: number; iterations: number }) => {
    const derive = promisify(pbkdf2)
    const begin = performance.now()
    await inParallel(count, availableParallelism(), () =>
      derive('just for fun', 'YlOa3mOTk7YOtXS6oCR8QP', iterations, 32, 'sha256'),
    )
    return (performance.now() - begin) / 1000
  },
  watchDelays: () => {
    delays = monitorEventLoopDelay({ resolution: 1 })
    delays.enable()
  },
  /** In ms; the one between two looks is in it. */
  delays: () => {
    delays!.disable()
    return { p99: delays!.percentile(99) / 1e6, most: delays!.max / 1e6 }
  },
})

process.send?.({
  plugin: (app.server.address() as AddressInfo).port,
  route: (route.server.address() as AddressInfo).port,
  bare: await listen(bare),
  checked: await listen(checked),
  rooms: await listen(rooms),
})
