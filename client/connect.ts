import { Broker, type MindOf, type Transport } from '../broker/index.js'
import type { ConnectionSetup } from './connection.js'
import { Door, askFor } from './door.js'
import type { ConnectionOptions, OptionsArgument, WebSocketConstructor } from './options.js'
import { resolvePrefix } from './request.js'
import { type Session, openSession } from './session.js'

/**
 * Opens a session with a ticket that came from elsewhere, such as a page that Django rendered.
 *
 * @param url - The plugin's prefix: `/perspective`, or absolute where the page is of another origin.
 * @param ticket - The JWT, or a function that fetches one. A ticket opens one socket and is refused the second time, so the
 *   session of a text ends with its first connection; a function is asked again, and says that there is no ticket for this
 *   user any more by throwing `UnauthorizedLoginError`.
 * @throws ConnectError `PB_ERR_CLIENT_UPGRADE`, `PB_ERR_CLIENT_REFUSED`, `PB_ERR_CLIENT_TIMEOUT`, `PB_ERR_UPGRADE_BLOCKED`
 * @throws TypeError - a URL, an option or a ticket that is none, or no WebSocket on this platform and none given.
 */
export async function connect<P extends object, M = MindOf<P>>(
  url: string | URL,
  ticket: string | (() => string | PromiseLike<string>),
  ...[options]: OptionsArgument<M>
): Promise<Session<P>> {
  const setup = checkOptions(options)
  const source = typeof ticket === 'function' ? ticket : null
  const door = new Door<P>(resolvePrefix(url), setup, source)
  return openSession(door, await askFor<unknown>(ticket, setup.signal))
}

const ignore = (): void => undefined
const NOWHERE: Transport = { send: ignore, close: ignore, onFrame: ignore, onClose: ignore }

/** Checks the options before a password or a ticket is spent, and a socket opened that nobody would own. */
export function checkOptions(
  options: ConnectionOptions & { readonly mind?: object | undefined } = {},
): ConnectionSetup {
  const mind: unknown = options.mind
  if (mind !== undefined && (typeof mind !== 'object' || mind === null)) {
    throw new TypeError(
      `options.mind: expected an object, got ${mind === null ? 'null' : typeof mind}`,
    )
  }
  // What a connection's broker takes is its own to say.
  new Broker(NOWHERE, { ...options, root: mind }).close()
  const { minDelayMs = 0, maxDelayMs = Infinity } = options.reconnect || {}
  if (!(minDelayMs >= 0 && maxDelayMs >= minDelayMs)) {
    throw new TypeError(
      `options.reconnect: expected 0 ≤ minDelayMs ≤ maxDelayMs, got ${String(minDelayMs)} and ${String(maxDelayMs)}`,
    )
  }
  const { WebSocket = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket } = options
  if (WebSocket === undefined) {
    throw new TypeError(
      'options.WebSocket: this platform has no WebSocket (Node before 22); pass the class of "ws"',
    )
  }
  return { ...options, WebSocket }
}
