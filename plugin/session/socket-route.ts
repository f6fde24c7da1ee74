/** `GET <prefix>/socket`: what an upgrade has to show, in the order that costs least; every refusal is plain HTTP. */
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { SUBPROTOCOL } from '../../broker/index.js'
import { logError, refusalOf, sendRefusal } from '../answers.js'
import { raceDeadline } from '../deadline.js'
import {
  LedgerAway,
  type RouteError,
  ServerClosing,
  TicketInvalid,
  UpgradeFull,
  UpgradeLimit,
  UpgradeProtocol,
  UpgradeRequired,
  UpgradeSlow,
  retryLater,
} from '../errors.js'
import { addressKeys } from '../login/address.js'
import { boundTo, type CookieSessions } from '../login/cookie-sessions.js'
import type { RateLimiter } from '../login/rate-limits.js'
import { isAllowedOrigin, refuseOrigin } from '../origins.js'
import { bindingDigest, userKeyOf } from '../portal/portal.js'
import type { TicketLedger } from '../ticket/ledger.js'
import type { Renewals } from '../ticket/renewal.js'
import type { TicketClaims, Tickets } from '../ticket/ticket.js'
import { Connection } from './connection.js'
import { SessionRenewals } from './renewals.js'
import { type Admitted, Session, type SessionContext } from './session.js'
import { openGate, upgradeOf, webSocketServerOptions } from './upgrades.js'

export interface SocketRouteContext extends SessionContext {
  readonly origins: ReadonlySet<string>
  readonly tickets: Tickets
  /** Null where pages get no renewal tokens. */
  readonly renewals: Renewals | null
  readonly ledger: TicketLedger
  readonly limiter: RateLimiter
  /** Null where no cookie is a way in. */
  readonly cookieSessions: CookieSessions | null
  isClosing(): boolean
}

/** From the upgrade request to the 101, ours only: a hook of the app's that hangs is the app's. */
const ADMISSION_MS = 5_000
/** What of a ticket's time is left when it has been used, for clocks that differ. */
const LEDGER_MARGIN_MS = 10_000
/** A frame has brackets and a head beside the longest message. */
const FRAME_OVERHEAD_BYTES = 64

/** Registers the route; `path` is its whole path. */
export async function registerSocketRoute(
  scope: FastifyInstance,
  path: string,
  context: SocketRouteContext,
): Promise<void> {
  const WebSocketServer = await openGate(scope, path, () => context.isClosing())
  const server = new WebSocketServer(
    webSocketServerOptions(context.limits.maxFrameBytes + FRAME_OVERHEAD_BYTES),
  )

  scope.route({
    method: 'GET',
    url: '/socket',
    exposeHeadRoute: false,
    preHandler: async (request, reply) => {
      const upgrade = upgradeOf(request.raw)
      if (upgrade === null) {
        // RFC 9110 section 15.5.22: a 426 says to what.
        reply.header('upgrade', 'websocket')
        throw new UpgradeRequired()
      }
      const admitted = await new Admission(request, context).decide().catch((error: unknown) => {
        refuse(request, reply, refusalOf(error, request))
        return null
      })
      if (admitted === null) return reply
      // Nothing is awaited from here to the session: who is disconnected, or shut down, meanwhile is in the registry.
      reply.hijack()
      // Or the socket keeps the answer that it will never have, and with it the whole request, for as long as it lives.
      reply.raw.detachSocket(request.raw.socket)
      const { id, ip, headers } = request
      server.handleUpgrade(request.raw, request.raw.socket, upgrade.head, (socket) => {
        const details = { id, ip, headers: { ...headers } }
        try {
          new Session(socket, { ...admitted, wire: request.raw.socket, request: details }, context)
        } catch (error) {
          // A checker's user that no hello can name. Nobody would read the socket, nor end it.
          logError(request.log, error, 'perspective: a session could not begin')
          socket.on('error', () => undefined)
          socket.terminate()
        }
      })
      return reply
    },
    // Whoever refused an upgrade, a hook of the app's too, no timeout of HTTP watches its socket any more.
    onResponse: async ({ raw }) => {
      if (upgradeOf(raw) !== null) raw.socket.destroySoon()
    },
    // Never reached: the preHandler has answered or refused.
    handler: (_request, reply) => sendRefusal(reply, new UpgradeRequired()),
  })
}

function refuse(request: FastifyRequest, reply: FastifyReply, error: RouteError): void {
  request.log.info({ code: error.code }, 'perspective: upgrade refused')
  void sendRefusal(reply.header('connection', 'close'), error)
}

type Proven = Pick<Admitted, 'account' | 'loginAgeMs' | 'renewals'>

class Admission {
  readonly #request: FastifyRequest
  readonly #context: SocketRouteContext
  readonly #socket: Socket

  constructor(request: FastifyRequest, context: SocketRouteContext) {
    this.#request = request
    this.#context = context
    this.#socket = request.raw.socket
  }

  /**
   * Decides over the upgrade.
   *
   * @throws RouteError - why not; what was taken for it has been given back.
   */
  async decide(): Promise<Omit<Admitted, 'request' | 'wire'>> {
    const { limiter } = this.#context
    if (this.#context.isClosing()) throw retryLater(ServerClosing, 1)
    if (!isAllowedOrigin(this.#context.origins, this.#request.headers.origin))
      throw refuseOrigin(this.#request, this.#context.origins)
    const wait = await limiter.checkRefusals(this.#request)
    if (wait > 0) throw retryLater(UpgradeLimit, wait)
    const connection = await this.#take()
    // A socket that ends says so in every case, sooner or later; the refusals below end it.
    this.#socket.once('close', () => {
      connection.gone()
    })
    if (this.#socket.destroyed) connection.gone()
    try {
      const proven = await raceDeadline(
        this.#prove(this.#readTicket(), connection),
        ADMISSION_MS,
        () => retryLater(UpgradeSlow, 5),
      )
      return { ...proven, connection }
    } catch (error) {
      connection.leave()
      const { statusCode } = error as Partial<RouteError>
      // Guesses, and nothing that an honest page runs into when the server is busy.
      if (statusCode === 400 || statusCode === 401) await limiter.countRefusal(this.#request)
      throw error
    }
  }

  /** A slot, or that of the page's own lost connection: many may be lost at once, and each would stand in its page's way. */
  async #take(): Promise<Connection> {
    const { registry, tickets } = this.#context
    const address = addressKeys(this.#request)
    const taken = Connection.take(registry, address)
    if (typeof taken !== 'string') return taken
    const claims = await tickets.verify(this.#readTicket())
    if (claims !== null && registry.hasFamily(userKeyOf(claims.chk, claims.sub), claims.fam))
      return Connection.takeOver(registry, address)
    if (taken === 'address') throw retryLater(UpgradeLimit, 10)
    throw retryLater(UpgradeFull, 10 + Math.random() * 20)
  }

  async #use({ jti, exp }: TicketClaims): Promise<boolean | null> {
    let answer: unknown
    try {
      answer = await this.#context.ledger.use(jti, exp * 1000 + LEDGER_MARGIN_MS)
    } catch {
      // Of a store that others made: the error may hold its address and password.
      this.#request.log.warn('perspective: the ledger of used tickets fails')
      throw retryLater(LedgerAway, 5 + Math.random() * 5)
    }
    if (answer === null || typeof answer === 'boolean') return answer
    this.#request.log.error(
      `perspective: the ledger must answer true, false or null, got ${typeof answer}`,
    )
    throw retryLater(LedgerAway, 5 + Math.random() * 5)
  }

  #readTicket(): string {
    const { tickets, protocols } = upgradeOf(this.#request.raw) ?? { tickets: [], protocols: [] }
    const [ticket] = tickets
    if (tickets.length !== 1 || ticket === undefined) throw new UpgradeProtocol()
    if (protocols.length !== 1 || protocols[0] !== SUBPROTOCOL) throw new UpgradeProtocol()
    return ticket
  }

  async #prove(ticket: string, connection: Connection): Promise<Proven> {
    const { tickets, portal, registry, cookieSessions, renewals: tokens } = this.#context
    const claims = await tickets.verify(ticket)
    const { origin = '' } = this.#request.headers
    if (claims?.org !== origin) throw new TicketInvalid()
    if (registry.isTooOld(userKeyOf(claims.chk, claims.sub), claims.iat)) throw new TicketInvalid()
    if (tokens?.admits(claims) === false) throw new TicketInvalid()
    if (!connection.enter(claims.chk, claims.sub, claims.fam)) throw retryLater(UpgradeLimit, 10)
    // Before the first await of the database: two upgrades with one ticket meet here.
    const isFirstUse = await this.#use(claims)
    if (isFirstUse === null) throw retryLater(UpgradeFull, 10)
    if (!isFirstUse) throw new TicketInvalid()
    const sessionKey = cookieSessions?.take(claims.jti) ?? null
    const [account, alive] = await Promise.all([
      portal.load(claims.chk, claims.sub),
      sessionKey === null ? null : cookieSessions?.alive([sessionKey]),
    ])
    if (account === null || !tickets.isBound(claims, boundTo(account, sessionKey)))
      throw new TicketInvalid()
    if (sessionKey !== null && alive?.has(sessionKey) !== true) throw new TicketInvalid()
    connection.proven(bindingDigest(account.binding), sessionKey)
    const renewals = await SessionRenewals.prepare(tokens, account, origin, claims)
    if (tokens?.admits(claims) === false) throw new TicketInvalid()
    if (this.#context.isClosing()) throw retryLater(ServerClosing, 1)
    if (connection.ending !== null) throw new TicketInvalid()
    // The page gave up meanwhile: a refusal that nobody reads, and no session.
    if (!this.#socket.readable || this.#socket.destroyed) throw new UpgradeSlow()
    return { account, loginAgeMs: tickets.ageMs(claims), renewals }
  }
}
