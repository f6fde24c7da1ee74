/**
 * Upgrades of one HTTP server, before Fastify sees them. The app's own @fastify/websocket brings an upgrade to the routes,
 * or else the gate does; the socket itself is made by a `WebSocketServer` of ours, so that our limits and our way of
 * closing hold beside whatever the app has set for its own sockets.
 */
import { EventEmitter } from 'node:events'
import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import fastifyWebsocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import { SUBPROTOCOL } from '../../broker/index.js'

/** What is kept of an upgrade request: what came after its head, and the tickets it offered. */
export interface Upgrade {
  readonly head: Buffer
  readonly tickets: readonly string[]
  /** The other protocols that were offered. */
  readonly protocols: readonly string[]
}

type WebSocketServer = FastifyInstance['websocketServer']
type WebSocketServerClass = new (options: object) => WebSocketServer

/** Stays on the socket for its life: made here, it keeps nothing of the request alive. */
function ignore(): void {
  // Whoever reads the socket hears of its end by `close`.
}

const TICKET_PREFIX = 'ticket.'
const gates = new WeakMap<Server, UpgradeGate>()
const upgrades = new WeakMap<IncomingMessage, Upgrade>()

/** The upgrade that a request is, or null for a plain one. */
export function upgradeOf(request: IncomingMessage): Upgrade | null {
  return upgrades.get(request) ?? null
}

/**
 * Brings upgrades of `path` to the route there.
 *
 * @param isClosing - Whether the app shuts down; upgrades are refused from then on.
 * @param scope - Where @fastify/websocket is registered if the app has none.
 * @returns The class of the sockets' server, the one that @fastify/websocket uses.
 */
export async function openGate(
  scope: FastifyInstance,
  path: string,
  isClosing: () => boolean,
): Promise<WebSocketServerClass> {
  let gate = gates.get(scope.server)
  if (gate === undefined) {
    gate = new UpgradeGate(scope)
    gates.set(scope.server, gate)
  }
  gate.addRoute(path, isClosing)
  return webSocketServerClass(scope)
}

async function webSocketServerClass(scope: FastifyInstance): Promise<WebSocketServerClass> {
  let owner = scope
  if (!scope.hasDecorator('websocketServer')) {
    // Its decorators stay in a scope of their own, so that the app can still register it for itself.
    await scope.register(async (inner) => {
      // Upgrades come by the gate: it listens where nobody speaks.
      const server = new EventEmitter() as unknown as Server
      await inner.register(fastifyWebsocket, { options: { server } })
      owner = inner
    })
  }
  return owner.websocketServer.constructor as unknown as WebSocketServerClass
}

/** The first listener of a server's upgrades: a ticket must be gone before anybody logs the request's headers. */
class UpgradeGate {
  readonly #app: FastifyInstance
  readonly #routes = new Map<string, () => boolean>()

  constructor(app: FastifyInstance) {
    this.#app = app
    app.server.prependListener('upgrade', this.#onUpgrade)
  }

  /** Once `isClosing`, Fastify would answer without its hooks, and nothing would end the connection. */
  addRoute(path: string, isClosing: () => boolean): void {
    this.#routes.set(path, isClosing)
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const offer = readOffer(request)
    const [path = ''] = (request.url ?? '').split('?', 1)
    // By its offer too: the app's `rewriteUrl` may know another path for ours.
    const isOurs = this.#routes.has(path) || isTicketOffered(offer)
    if (isOurs) {
      hideTickets(request, offer)
      upgrades.set(request, { head, ...offer })
    } else if (this.#app.server.listenerCount('upgrade') > 1) {
      return
    }
    // Behind a request that is still to be answered: Node has let go of the connection, and nobody would ever end it.
    if (isBusy(request)) socket.destroy()
    else if (isOurs && this.#isClosing()) answer(socket, '503 Service Unavailable')
    // RFC 9110 section 7.8: in HTTP/1.0 there is no upgrade.
    else if (isOurs && request.httpVersion === '1.0') answer(socket, '426 Upgrade Required')
    else if (request.method === 'GET') this.#route(request, socket)
    // Whatever body it has would never be read.
    else answer(socket, isOurs ? '405 Method Not Allowed' : '426 Upgrade Required')
  }

  #isClosing(): boolean {
    return [...this.#routes.values()].some((isClosing) => isClosing())
  }

  /** Brings it to the routes, unless the app's own @fastify/websocket does: of any scope, it listens after us. */
  #route(request: IncomingMessage, socket: Duplex): void {
    socket.on('error', ignore)
    process.nextTick(() => {
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      try {
        response.assignSocket(request.socket)
      } catch {
        return
      }
      // No timeout of HTTP watches it any more. A 101 is not written by this response.
      response.once('finish', () => {
        request.socket.destroySoon()
      })
      this.#app.routing(request, response)
    })
  }
}

/** Whether the answer to an earlier request of the same connection is still to come. */
function isBusy(request: IncomingMessage): boolean {
  const probe = new ServerResponse(request)
  try {
    probe.assignSocket(request.socket)
  } catch {
    return true
  }
  probe.detachSocket(request.socket)
  return false
}

function answer(socket: Duplex, status: string): void {
  socket.on('error', ignore)
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => {
    socket.destroy()
  })
}

type Offer = Pick<Upgrade, 'tickets' | 'protocols'>

function isTicketOffered({ tickets, protocols }: Offer): boolean {
  return tickets.length > 0 && protocols.includes(SUBPROTOCOL)
}

const PROTOCOL_HEADER = 'sec-websocket-protocol'

function readOffer(request: IncomingMessage): Offer {
  const offers = (request.headers[PROTOCOL_HEADER] ?? '').split(',').map((part) => {
    const offer = part.trim()
    // A part of the header keeps all of it, ticket included, as long as the socket lives.
    return offer === SUBPROTOCOL ? SUBPROTOCOL : offer
  })
  const tickets = offers.filter((offer) => offer.startsWith(TICKET_PREFIX))
  const protocols = offers.filter((offer) => offer !== '' && !offer.startsWith(TICKET_PREFIX))
  return { tickets: tickets.map((ticket) => ticket.slice(TICKET_PREFIX.length)), protocols }
}

/** Leaves only the other protocols in the header, for hooks and logs to see. */
function hideTickets(
  { headers, rawHeaders }: IncomingMessage,
  { tickets, protocols }: Offer,
): void {
  if (tickets.length === 0) return
  headers[PROTOCOL_HEADER] = protocols.join(', ')
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === PROTOCOL_HEADER) {
      rawHeaders[index + 1] = protocols.join(', ')
    }
  }
}

/** The options of our `WebSocketServer`; `maxPayload` in bytes. */
export function webSocketServerOptions(maxPayload: number): object {
  return {
    noServer: true,
    clientTracking: false,
    maxPayload,
    // A message of many tiny fragments takes far more memory than its bytes (CVE-2026-48779).
    maxFragments: 1024,
    maxBufferedChunks: 4096,
    // Compression keeps a window for each socket, and lets a few bytes become many.
    perMessageDeflate: false,
    // A peer that pings and reads no answer is dropped: each answer would wait for it in memory. The default of ws 8.23.
    maxPendingAutoPongs: 60,
    handleProtocols: () => SUBPROTOCOL,
  }
}
