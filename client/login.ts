import type { MindOf } from '../broker/index.js'
import { checkOptions } from './connect.js'
import { Door, askFor } from './door.js'
import { RequestError } from './errors.js'
import type { Credentials, OptionsArgument } from './options.js'
import { type Grant, requestTicket, resolvePrefix } from './request.js'
import { type Session, openSession } from './session.js'

/** How long the login route may take to answer: a slow hash, and a queue before it. */
const LOGIN_SECONDS = 20

/**
 * Logs in with a Django user's credentials and opens a session.
 *
 * The credentials go to the login route in one POST and are forgotten; what opens the socket is the ticket that comes
 * back, and what brings a lost session back is the renewal token beside it. `P` is the avatar's contract (or its class),
 * `M` the mind's.
 *
 * @param url - The plugin's prefix: `/perspective`, or absolute where the page is of another origin.
 * @param credentials - User name and password, `{ type: 'session' }` or `{ type: 'anonymous' }`, or a function that is
 *   asked for them, once.
 * @throws UnauthorizedLoginError - unknown user, wrong password, inactive user, no session: one and the same.
 * @throws RequestError - the login route said anything else, or the server refuses a second ticket: its code, status and
 *   `retryAfterSeconds`.
 * @throws ConnectError - the ticket was given and no session came of it.
 * @throws TypeError - a URL or an option that is none, or no WebSocket on this platform and none given.
 */
export async function login<P extends object, M = MindOf<P>>(
  url: string | URL,
  credentials: Credentials | (() => Credentials | PromiseLike<Credentials>),
  ...[options]: OptionsArgument<M>
): Promise<Session<P>> {
  const setup = checkOptions(options)
  const prefix = resolvePrefix(url)
  const { signal } = setup
  const shown = await askFor<Credentials>(credentials, signal)
  const { type } = shown
  if (type === 'session') return openSession(new Door<P>(prefix, setup, 'session'), undefined)
  const ask = (route: string, body: object): Promise<Grant> =>
    requestTicket(prefix + route, body, setup, LOGIN_SECONDS, signal)
  let sent: object = shown
  if (type === 'hashed-password') {
    // A module of its own: the pages that send their passwords need not load it.
    const { prove } = await import('./hashed-password.js')
    sent = await prove(shown, (body) => ask('/challenge', body), RequestError)
  }
  const { ticket, renewal } = await ask('/login', sent)
  const door =
    typeof renewal === 'string'
      ? new Door<P>(prefix, setup, 'renewal', renewal)
      : new Door<P>(prefix, setup, null)
  return openSession(door, ticket)
}
