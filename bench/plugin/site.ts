/** A Django database with users, the server's process on it, and what pages do there. */
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  Referenceable,
  type Remote,
  type RemoteMethods,
  unchecked,
} from 'fastify-perspective/broker'
import { connect } from 'fastify-perspective/client'
import pg from 'pg'
import { io, type Socket } from 'socket.io-client'
import { WebSocket } from 'ws'
import { loadDjango, startPostgres } from '../../tools/postgres/start.js'
import { openSocket } from '../contenders/socket-server.js'
import { type ServerProcess, startServer } from '../server-process.js'
import { addLogin } from '../../test/plugin/django/django-session.js'
import { makeToken, openChecked } from './checked-sockets.js'
import { inParallel } from './parallel.js'
import type { Desk } from './server.js'

/** Logins and upgrades that are under way together. */
export const AT_ONCE = 16
/** A user whose hash has the iterations of Django 5.2. */
export const LINUS = { username: 'linus', password: 'just for fun' }
export const DJANGO_ITERATIONS = 1_000_000
/** Of the pages that have a cookie: without an origin none is believed. */
const ORIGIN = 'https://www.example.com'
/** Users whose hash has 1,000 iterations, where it is not the hash that is measured. */
const PEOPLE = 1000

type Heard = (value: unknown) => void

export class Page extends Referenceable {
  static readonly remote: RemoteMethods<Page> = { heard: unchecked }
  readonly #heard: Heard
  constructor(heard: Heard) {
    super()
    this.#heard = heard
  }
  heard(value: unknown): void {
    this.#heard(value)
  }
}

export interface LoginAnswer {
  readonly status: number
  readonly body: { readonly ticket?: string; readonly code?: string }
}

export class Site {
  readonly server: ServerProcess
  readonly databaseUrl: string

  constructor(server: ServerProcess, databaseUrl: string) {
    this.server = server
    this.databaseUrl = databaseUrl
  }

  /** As many tickets as asked, each of a login of its own. */
  async mint(count: number): Promise<string[]> {
    const agent = new Agent({ keepAlive: true })
    const tickets = await inParallel(count, AT_ONCE, async (index) => {
      const username = `person${String(index % PEOPLE)}`
      const answer = await this.login({ username, password: 'fast password 1' }, agent)
      return answer.body.ticket ?? fail(`a ticket for ${username}`, answer)
    })
    agent.destroy()
    await this.settle()
    return tickets
  }

  login(credentials: object, agent: Agent, signal?: AbortSignal): Promise<LoginAnswer> {
    return this.#post('plugin', '/login', {}, credentials, { agent, ...(signal && { signal }) })
  }

  /** A session of Django's that LINUS has; its cookie. */
  async djangoSession(): Promise<string> {
    const pool = new pg.Pool({ connectionString: this.databaseUrl })
    const key = await addLogin(pool, LINUS.username)
    await pool.end()
    return `sessionid=${key}`
  }

  /** Shows the cookie to the plugin, or to the bare route, which reads one row. */
  async exchange(where: 'plugin' | 'route', cookie: string, agent: Agent): Promise<void> {
    const answer = await this.#post(where, '/ticket', { cookie, origin: ORIGIN }, {}, { agent })
    if (answer.body.ticket === undefined) fail('a ticket for a cookie', answer)
  }

  async #post(
    server: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: object,
    options: { readonly agent: Agent; readonly signal?: AbortSignal },
  ): Promise<LoginAnswer> {
    const sent = request({
      ...{ host: '127.0.0.1', port: this.server.ports[server], method: 'POST', path },
      headers: { 'content-type': 'application/json', ...headers },
      ...options,
    })
    sent.end(JSON.stringify(body))
    const [response] = (await once(sent, 'response')) as [
      AsyncIterable<Buffer> & { statusCode: number },
    ]
    let text = ''
    for await (const part of response) text += part.toString()
    return { status: response.statusCode, body: JSON.parse(text) as LoginAnswer['body'] }
  }

  /** Opens a session with a mind; resolves with the server's hello. */
  async open(
    ticket: string,
    heard: Heard = () => undefined,
  ): Promise<{ avatar: Remote<Desk>; close: () => Promise<void> }> {
    const url = `http://127.0.0.1:${String(this.server.ports['plugin'])}`
    const options = { mind: new Page(heard), WebSocket }
    const { perspective: avatar, logout: close } = await connect<Desk>(url, ticket, options)
    return { avatar, close }
  }

  openBare(): Promise<WebSocket> {
    return openSocket(this.server.ports['bare']!)
  }

  /** What {@link openChecked} takes. */
  signTokens(count: number): Promise<string[]> {
    return inParallel(count, AT_ONCE, (index) => makeToken(1000 + (index % PEOPLE)))
  }

  openChecked(token: string): Promise<WebSocket> {
    return openChecked(this.server.ports['checked']!, token)
  }

  async enterRoom(heard: Heard = () => undefined): Promise<Socket> {
    const socket = io(`ws://127.0.0.1:${String(this.server.ports['rooms'])}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    })
    socket.on('heard', heard)
    await once(socket as never, 'connect')
    return socket
  }

  /** Waits until the server has no connection left. */
  async settle(): Promise<void> {
    const end = performance.now() + 10_000
    while ((await this.server.ask('connections')) !== 0) {
      if (performance.now() > end) throw new Error('connections that do not end')
      await setTimeout(20)
    }
  }
}

export function fail(expected: string, answer: unknown): never {
  throw new Error(`expected ${expected}, got ${JSON.stringify(answer)}`)
}

/** Starts all of it; `stop` ends all of it, and so does the end of this process. */
export async function startSite(): Promise<{ site: Site; stop: () => Promise<void> }> {
  const postgres = await startPostgres()
  try {
    await loadDjango(postgres.url)
    await addPeople(postgres.url)
    const script = fileURLToPath(new URL('server.ts', import.meta.url))
    const server = await startServer(script, [postgres.url, ORIGIN], ['--expose-gc'])
    const stop = async (): Promise<void> => {
      await server.stop()
      await postgres.stop()
    }
    return { site: new Site(server, postgres.url), stop }
  } catch (error) {
    await postgres.stop()
    throw error
  }
}

async function addPeople(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(
    `INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active,
       date_joined)
     SELECT 1000 + n, password, false, 'person' || n, '', '', '', false, true, now()
       FROM auth_user, generate_series(0, $1 - 1) AS n WHERE username = 'fast1'`,
    [PEOPLE],
  )
  await client.end()
}
