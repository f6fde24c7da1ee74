import { Broker, SUBPROTOCOL, webSocketTransport } from '../broker/index.js'
import type { MindOf } from '../broker/index.js'
import { exposureOf, isReferenceable } from '../broker/exposure.js'
import { resolveLimits } from '../broker/limits.js'
import { ConnectError } from './errors.js'
import type { ConnectionOptions, OptionsArgument, WebSocketConstructor } from './options.js'
import { OpenSession, type Session } from './session.js'

/** How long a socket may take until the server's hello, in ms; the realm alone may take 10 s. */
const HELLO_TIMEOUT_MS = 20_000

/**
 * Opens a session with a ticket that came from elsewhere, such as a page that Django rendered.
 *
 * @param url - The plugin's prefix: `/perspective`, or absolute where the page is of another origin.
 * @param ticket - The JWT, or a function that fetches one; it opens one socket and is refused the second time.
 * @throws ConnectError `PB_ERR_CLIENT_UPGRADE`, `PB_ERR_CLIENT_REFUSED`, `PB_ERR_CLIENT_TIMEOUT`
 * @throws TypeError - a URL, an option or a ticket that is none, or no WebSocket on this platform and none given.
 */
export async function connect<P extends object, M = MindOf<P>>(
  url: string | URL,
  ticket: string | (() => string | PromiseLike<string>),
  ...[options]: OptionsArgument<M>
): Promise<Session<P>> {
  const given: ConnectionOptions & { readonly mind?: object | undefined } = options ?? {}
  const WebSocketClass = checkOptions(given)
  const address = resolveUrl(url, '/socket')
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:'
  const jwt: unknown = await askFor(ticket, given.signal)
  if (typeof jwt !== 'string' || !/^[\w.-]+$/.test(jwt)) {
    throw new TypeError(`ticket: expected the text of a JWT, got ${describeText(jwt)}`)
  }
  const socket = new WebSocketClass(address.href, [SUBPROTOCOL, `ticket.${jwt}`])
  const socketClosed = new Promise<void>((resolve) => {
    socket.addEventListener('close', () => {
      resolve()
    })
  })
  const broker = new Broker<P>(webSocketTransport(socket), {
    root: given.mind,
    limits: given.limits,
    copyables: given.copyables,
    callTimeoutMs: given.callTimeoutMs,
    onCallError: (error, { id, method }) => {
      console.error(`fastify-perspective: the mind's ${method || 'function'} failed ${id}`, error)
    },
  })
  const user = await greet(broker, given.signal)
  return new OpenSession<P>(broker, user, socketClosed)
}

/**
 * Checks the options before a password or a ticket is spent, and a socket opened that nobody would own.
 *
 * @returns The platform's WebSocket, or the one given.
 */
export function checkOptions(
  options: ConnectionOptions & { readonly mind?: unknown },
): WebSocketConstructor {
  const { mind } = options
  resolveLimits(options.limits)
  if (mind !== undefined) {
    if (typeof mind !== 'object' || mind === null) {
      throw new TypeError(
        `options.mind: expected an object, got ${mind === null ? 'null' : typeof mind}`,
      )
    }
    if (isReferenceable(mind)) exposureOf(mind)
  }
  const WebSocketClass =
    options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket
  if (WebSocketClass === undefined) {
    throw new TypeError(
      'options.WebSocket: this platform has no WebSocket (Node before 22); pass the class of "ws"',
    )
  }
  return WebSocketClass
}

/** The value, or what the function for it answers; rejects as soon as the signal aborts, whoever is being asked. */
export async function askFor<T>(
  source: T | (() => T | PromiseLike<T>),
  signal: AbortSignal | undefined,
): Promise<T> {
  signal?.throwIfAborted()
  if (typeof source !== 'function') return source
  const asked = (source as () => T | PromiseLike<T>)()
  if (signal === undefined) return asked
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', abort)
    Promise.resolve(asked)
      .then(resolve, reject)
      .finally(() => {
        signal.removeEventListener('abort', abort)
      })
  })
}

function describeText(value: unknown): string {
  if (value === '') return 'an empty string'
  return typeof value === 'string' ? 'a text with other characters' : typeof value
}

/** The address of one of the plugin's routes; relative ones are the page's. */
export function resolveUrl(url: string | URL, route: string): URL {
  const base = (globalThis as { location?: { href: string } }).location?.href
  let address: URL
  try {
    address = new URL(url, base)
  } catch {
    throw new TypeError(
      `url: expected the plugin's prefix, such as "/perspective"${base === undefined ? ', absolute outside a page' : ''}; got ${JSON.stringify(String(url))}`,
    )
  }
  if (address.protocol !== 'http:' && address.protocol !== 'https:') {
    throw new TypeError(`url: expected http or https, got ${JSON.stringify(address.protocol)}`)
  }
  address.pathname = address.pathname.replace(/\/+$/, '') + route
  address.search = ''
  address.hash = ''
  return address
}

/** Waits for the server's hello, which says that the avatar is there and who it is for. */
async function greet<P extends object>(
  broker: Broker<P>,
  signal: AbortSignal | undefined,
): Promise<{ id: string; username: string }> {
  const giveUp = (error: unknown): void => {
    rejectEarly(error as Error)
    broker.close(1000, 'given up')
  }
  let rejectEarly: (error: Error) => void = () => undefined
  const early = new Promise<never>((_resolve, reject) => {
    rejectEarly = reject
  })
  const timer = setTimeout(() => {
    giveUp(
      new ConnectError(
        'PB_ERR_CLIENT_TIMEOUT',
        `no hello of the server in ${String(HELLO_TIMEOUT_MS / 1000)} s`,
        null,
      ),
    )
  }, HELLO_TIMEOUT_MS)
  const onAbort = (): void => {
    giveUp(signal?.reason)
  }
  signal?.addEventListener('abort', onAbort)
  try {
    const hello = await Promise.race([early, broker.peer])
    const { user } = (hello.info ?? {}) as { user?: { id?: unknown; username?: unknown } }
    if (!hello.hasRoot || typeof user?.id !== 'string' || typeof user.username !== 'string') {
      broker.close(4400, 'PB_ERR_CLIENT_REFUSED')
      throw new ConnectError(
        'PB_ERR_CLIENT_REFUSED',
        'the server says hello without a user or an avatar',
        null,
      )
    }
    return Object.freeze({ id: user.id, username: user.username })
  } catch (error) {
    if (error instanceof ConnectError || signal?.aborted === true) throw error
    const reason = await broker.closed
    if (reason.code === 1006) {
      throw new ConnectError(
        'PB_ERR_CLIENT_UPGRADE',
        'the socket was refused or lost before the session began: the server may be away, the ticket spent, this ' +
          "page's origin not in allowedOrigins, or a proxy does not pass WebSockets; the server's log says which",
        reason,
      )
    }
    throw new ConnectError(
      'PB_ERR_CLIENT_REFUSED',
      `the server ended the connection before the session began: ${String(reason.code)} ${reason.reason}`,
      reason,
    )
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
