/**
 * Upgrades of one HTTP server, before Fastify sees them. @fastify/websocket brings an upgrade to the routes, the app's own
 * registration of it or else ours; the socket itself is made by a `WebSocketServer` of ours, so that our limits and our
 * way of closing hold beside whatever the app has set for its own sockets.
 */
import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
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
 * @param scope - Where @fastify/websocket is registered if the app has none.
 * @returns The class of the sockets' server, the one that @fastify/websocket uses.
 */
export async function openGate(
  scope: FastifyInstance,
  path: string,
): Promise<WebSocketServerClass> {
  const { server } = scope
  let gate = gates.get(server)
  if (gate === undefined) {
    gate = new UpgradeGate(server)
    gates.set(server, gate)
  }
  await gate.addRoute(scope, path)
  return gate.WebSocketServer
}

class UpgradeGate {
  readonly #server: Server
  readonly #apps: FastifyInstance[] = []
  readonly #paths = new Set<string>()
  /** Where our own registration of @fastify/websocket listens, if there is one. */
  readonly #dispatcher = new EventEmitter()
  #class: WebSocketServerClass | null = null

  constructor(server: Server) {
    this.#server = server
    // First of all listeners: a ticket must be gone before anybody logs the request's headers.
    server.prependListener('upgrade', this.#onUpgrade)
  }

  get WebSocketServer(): WebSocketServerClass {
    if (this.#class === null) throw new Error('addRoute() comes first')
    return this.#class
  }

  async addRoute(scope: FastifyInstance, path: string): Promise<void> {
    this.#apps.push(scope)
    this.#paths.add(path)
    if (this.#class !== null) return
    let owner = scope
    if (!this.#isAppDispatching()) {
      // Its decorators stay in a scope of their own, so that the app can still register it for itself.
      await scope.register(async (inner) => {
        // It only listens to it.
        const server = this.#dispatcher as unknown as Server
        await inner.register(fastifyWebsocket, {
          options: { server },
          preClose: (done) => {
            done()
          },
        })
        owner = inner
      })
    }
    this.#class = owner.websocketServer.constructor as unknown as WebSocketServerClass
  }

  #isAppDispatching(): boolean {
    return this.#apps.some((app) => app.hasDecorator('websocketServer'))
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const isOurs = this.#paths.has((request.url ?? '').split('?', 1)[0] ?? '')
    if (isOurs) upgrades.set(request, { head, ...takeTickets(request) })
    const hasOthers = this.#server.listenerCount('upgrade') > 1
    if (hasOthers && (!isOurs || this.#isAppDispatching())) return
    if (isOurs && request.method !== 'GET') answer(socket, '405 Method Not Allowed')
    else if (isOurs && this.#dispatcher.emit('upgrade', request, socket, head)) return
    // Nobody else will answer: nothing here takes upgrades, or the app's own dispatcher has gone at its shutdown.
    else answer(socket, isOurs ? '503 Service Unavailable' : '426 Upgrade Required')
  }
}

function answer(socket: Duplex, status: string): void {
  socket.on('error', () => undefined)
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}

/** Takes the tickets out of the offered protocols; of the header only the others are left, for hooks and logs to see. */
function takeTickets(request: IncomingMessage): Pick<Upgrade, 'tickets' | 'protocols'> {
  const name = 'sec-websocket-protocol'
  const offers = (request.headers[name] ?? '').split(',').map((offer) => offer.trim())
  const tickets = offers.filter((offer) => offer.startsWith(TICKET_PREFIX))
  const protocols = offers.filter((offer) => offer !== '' && !offer.startsWith(TICKET_PREFIX))
  if (tickets.length === 0) return { tickets, protocols }
  request.headers[name] = protocols.join(', ')
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    if (request.rawHeaders[index]?.toLowerCase() === name) {
      request.rawHeaders[index + 1] = protocols.join(', ')
    }
  }
  return { tickets: tickets.map((ticket) => ticket.slice(TICKET_PREFIX.length)), protocols }
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
    handleProtocols: () => SUBPROTOCOL,
  }
}
