// A small real server that speaks what page and plugin have agreed on: Fastify for the routes, ws for the sockets, a broker for
// each session. It refuses, forgets, hangs and dies as a test wants, which the plugin would not.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { Broker, type CloseReason, webSocketTransport } from 'fastify-perspective/broker'
import { type WebSocket, WebSocketServer } from 'ws'
import { Root } from './root.js'

export interface Refusal {
  readonly status: number
  readonly code: string
  readonly retryAfter?: number
}

/** One admitted socket. */
export interface Admitted {
  readonly broker: Broker
  readonly socket: WebSocket
  readonly root: Root
  readonly family: string
  readonly userId: string
  /** What the page has said beside its calls. */
  readonly notices: Record<string, unknown>[]
  closed: CloseReason | null
}

/** A login and what became of its renewal tokens. */
interface Family {
  confirmed: string
  pending: string | null
  isDead: boolean
  session: Admitted | null
}

interface Ticket {
  readonly userId: string
  readonly family: string
}

type Route = 'login' | 'renew' | 'ticket' | 'logout' | 'socket'

export interface DoorOptions {
  /** Told in every hello. Default 50. */
  readonly spreadMs?: number
  /** For pages: path to body and content type. */
  readonly files?: Readonly<Record<string, readonly [type: string, body: string]>>
  readonly headers?: Readonly<Record<string, string>>
}

export class DoorServer {
  readonly options: DoorOptions
  port = 0
  /** Every request, in order. */
  readonly requests: { readonly route: Route; readonly body: Record<string, unknown> }[] = []
  /** Every session, in order; the last one is the newest. */
  readonly admitted: Admitted[] = []
  /** `attached` and `detached <code>`, in order. */
  readonly events: string[] = []
  /** What a route answers instead. */
  readonly refusals = new Map<Route, Refusal>()
  /** Routes that do not answer at all. */
  readonly hung = new Set<Route>()
  /** Whom Django's session cookie stands for; null: nobody. */
  cookieUser: string | null = '1'
  /** How long a renewal token is good, in seconds. */
  renewalSeconds = 3600
  /** Whether a session's hello brings the next token. */
  rotates = true
  /** Whether sockets get a hello. */
  greets = true
  readonly #families = new Map<string, Family>()
  readonly #tickets = new Map<string, Ticket>()
  /** Upgrades that hang; nobody else would end them. */
  readonly #hanging = new Set<Duplex>()
  readonly #detached = new WeakSet<Admitted>()
  #app!: FastifyInstance
  #sockets!: WebSocketServer

  private constructor(options: DoorOptions) {
    this.options = options
  }

  static async start(options: DoorOptions = {}): Promise<DoorServer> {
    const server = new DoorServer(options)
    await server.#listen()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}/perspective`
  }

  get newest(): Admitted {
    const last = this.admitted.at(-1)
    if (last === undefined) throw new Error('nobody was admitted')
    return last
  }

  /** Sessions that are there now. */
  get live(): Admitted[] {
    return this.admitted.filter(({ closed }) => closed === null)
  }

  count(route: Route): number {
    return this.requests.filter((request) => request.route === route).length
  }

  /** Ends every socket without a word and forgets all, as a process that is killed; comes back on the same port. */
  async crash(whileAway: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    await this.close()
    this.#families.clear()
    this.#tickets.clear()
    await whileAway()
    await this.#listen()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    for (const socket of this.#hanging) socket.destroy()
    this.#sockets.close()
    this.#app.server.closeAllConnections()
    await this.#app.close()
  }

  /** Waits until nobody is there, as is right at the end of a test; puts out who stays. */
  async empty(): Promise<void> {
    for (let ms = 0; this.live.length > 0 && ms < 2000; ms += 10) await sleep(10)
    const left = this.live
    for (const { broker } of left) broker.close(4440, 'left over')
    if (left.length > 0) throw new Error(`${String(left.length)} sessions were left over`)
  }

  /** Gives the page of a session its next renewal token. */
  rotate(session: Admitted = this.newest): void {
    session.broker.notify({ renewal: this.#nextRenewal(session.family, session.userId) })
  }

  /** The tokens of a family, for assertions. */
  family(name: string): Readonly<Family> | undefined {
    return this.#families.get(name)
  }

  mintTicket(userId: string): string {
    const ticket = `ticket-${randomUUID()}`
    this.#tickets.set(ticket, { userId, family: randomUUID() })
    return ticket
  }

  async #listen(): Promise<void> {
    const app = Fastify({ forceCloseConnections: true })
    app.addHook('onRequest', async (_request, reply) => {
      void reply.headers({ ...this.options.headers })
      return Promise.resolve()
    })
    for (const route of ['login', 'renew', 'ticket', 'logout'] as const) {
      app.post(`/perspective/${route}`, async (request, reply) => {
        const body = request.body as Record<string, unknown>
        void reply.header('cache-control', 'no-store')
        this.requests.push({ route, body })
        if (this.hung.has(route)) return new Promise(() => undefined)
        const refusal = this.refusals.get(route)
        if (refusal !== undefined) return refuse(reply, refusal)
        return this.#answer(route, body, reply)
      })
    }
    for (const [path, [type, text]] of Object.entries(this.options.files ?? {})) {
      app.get(path, (_request, reply) => reply.type(type).send(text))
    }
    this.#sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: () => 'perspective.v1',
    })
    app.server.on('upgrade', (request, socket, head) => {
      this.#upgrade(request, socket, head)
    })
    await app.listen({ port: this.port, host: '127.0.0.1' })
    this.#app = app
    this.port = (app.server.address() as AddressInfo).port
  }

  #answer(route: Route, body: Record<string, unknown>, reply: FastifyReply): unknown {
    if (route === 'logout') {
      const claims = readToken(body['renewal'])
      if (claims !== null) this.#revoke(claims.fam, 1000, 'logout')
      return reply.code(204).send()
    }
    if (route === 'ticket') {
      if (this.cookieUser === null)
        return refuse(reply, { status: 401, code: 'PB_ERR_LOGIN_REJECTED' })
      return this.#grant(this.cookieUser, randomUUID(), body, reply)
    }
    if (route === 'login') {
      if (body['password'] !== 'good')
        return refuse(reply, { status: 401, code: 'PB_ERR_LOGIN_REJECTED' })
      const family = randomUUID()
      const userId = String(body['username'])
      const renewal = this.#makeRenewal(family, userId)
      this.#families.set(family, {
        confirmed: renewal.id,
        pending: null,
        isDead: false,
        session: null,
      })
      return this.#grant(userId, family, body, reply, renewal.token)
    }
    const claims = readToken(body['renewal'])
    if (claims === null || !this.#accept(claims))
      return refuse(reply, { status: 401, code: 'PB_ERR_RENEWAL_REJECTED' })
    return this.#grant(claims.sub, claims.fam, body, reply)
  }

  /** Two phases: the token before is dead when its successor is known to have arrived. */
  #accept({ fam, jti, exp }: Claims): boolean {
    if (exp * 1000 < Date.now()) return false
    const family = this.#families.get(fam)
    if (family === undefined) {
      // The process that gave it is gone: its signature is enough.
      this.#families.set(fam, { confirmed: jti, pending: null, isDead: false, session: null })
      return true
    }
    if (family.isDead) return false
    if (jti === family.pending) this.#confirm(family, jti)
    if (jti === family.confirmed) return true
    this.#revoke(fam, 4401, 'renewal-reused')
    return false
  }

  #confirm(family: Family, jti: unknown): void {
    if (jti !== family.pending || family.pending === null) return
    family.confirmed = family.pending
    family.pending = null
  }

  #revoke(name: string, code: number, reason: string): void {
    const family = this.#families.get(name)
    if (family === undefined) return
    family.isDead = true
    family.session?.broker.close(code, reason)
  }

  #grant(
    userId: string,
    family: string,
    body: Record<string, unknown>,
    reply: FastifyReply,
    renewal?: string,
  ): unknown {
    if (body['expect'] !== undefined && body['expect'] !== userId)
      return refuse(reply, { status: 409, code: 'PB_ERR_USER_CHANGED' })
    const ticket = `ticket-${randomUUID()}`
    this.#tickets.set(ticket, { userId, family })
    return reply.send({ ticket, renewal, user: { id: userId, username: userId }, expiresIn: 30 })
  }

  #makeRenewal(family: string, userId: string): { token: string; id: string } {
    const id = randomUUID()
    const iat = Math.floor(Date.now() / 1000)
    const claims: Claims = {
      sub: userId,
      fam: family,
      jti: id,
      iat,
      exp: iat + this.renewalSeconds,
    }
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    return { token: `${part({ typ: 'pb-renewal+jwt' })}.${part(claims)}.signature`, id }
  }

  #nextRenewal(name: string, userId: string): { token: string; id: string } {
    const renewal = this.#makeRenewal(name, userId)
    const family = this.#families.get(name)
    if (family !== undefined) family.pending = renewal.id
    return renewal
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.requests.push({ route: 'socket', body: {} })
    if (this.hung.has('socket')) {
      this.#hanging.add(socket)
      return
    }
    const offer = String(request.headers['sec-websocket-protocol'])
    const name = /(?:^|,) ?ticket\.([\w.-]+)$/.exec(offer)?.[1] ?? ''
    const ticket = this.#tickets.get(name)
    this.#tickets.delete(name)
    const refusal = this.refusals.get('socket')
    if (ticket === undefined || refusal !== undefined) {
      socket.end(`HTTP/1.1 ${String(refusal?.status ?? 401)} No\r\nConnection: close\r\n\r\n`)
      return
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      if (this.greets) this.#admit(ws, ticket)
    })
  }

  #detach(session: Admitted, code: number): void {
    if (this.#detached.has(session)) return
    this.#detached.add(session)
    this.events.push(`detached ${String(code)}`)
  }

  #admit(socket: WebSocket, { userId, family: name }: Ticket): void {
    const family = this.#families.get(name)
    const before = family?.session ?? null
    if (before !== null && before.closed === null) {
      before.broker.close(4409, 'replaced')
      this.#detach(before, 4409)
    }
    const root = new Root()
    const notices: Record<string, unknown>[] = []
    const info = {
      user: { id: userId, username: userId },
      spreadMs: this.options.spreadMs ?? 50,
      ...(family !== undefined && this.rotates ? { renewal: this.#nextRenewal(name, userId) } : {}),
    }
    const broker: Broker = new Broker(webSocketTransport(socket), {
      root,
      info,
      onNotice: (notice) => {
        const said = notice as Record<string, unknown>
        notices.push(said)
        if ('kept' in said && family !== undefined) this.#confirm(family, said['kept'])
        if ('ping' in said) broker.notify({ pong: said['ping'] })
      },
    })
    root.mind = broker.root
    const session: Admitted = { broker, socket, root, family: name, userId, notices, closed: null }
    this.admitted.push(session)
    if (family !== undefined) family.session = session
    this.events.push('attached')
    void broker.closed.then((reason) => {
      session.closed = reason
      this.#detach(session, reason.code)
      if (reason.code === 1000 && reason.byPeer && family !== undefined) family.isDead = true
    })
  }
}

interface Claims {
  readonly sub: string
  readonly fam: string
  readonly jti: string
  readonly iat: number
  readonly exp: number
}

function readToken(token: unknown): Claims | null {
  if (typeof token !== 'string') return null
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims
}

function refuse(reply: FastifyReply, { status, code, retryAfter }: Refusal): FastifyReply {
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter))
  return reply.code(status).send({ code, message: `refused: ${code}`, retryAfter })
}
