import { type MindOf, UnauthorizedLoginError } from '../broker/index.js'
import { askFor, checkOptions, connect, resolveUrl } from './connect.js'
import { RequestError } from './errors.js'
import type { ConnectionOptions, Credentials, OptionsArgument } from './options.js'
import type { Session } from './session.js'

/** How long the login route may take to answer, in ms: a slow hash, and a queue before it. */
const LOGIN_TIMEOUT_MS = 20_000

/**
 * Logs in with a Django user's credentials and opens a session.
 *
 * The credentials go to the login route in one POST and are forgotten; what opens the socket is the ticket that comes
 * back. `P` is the avatar's contract (or its class), `M` the mind's.
 *
 * @param url - The plugin's prefix: `/perspective`, or absolute where the page is of another origin.
 * @param credentials - User name and password, `{ type: 'session' }` or `{ type: 'anonymous' }`, or a function that is
 *   asked for them.
 * @throws UnauthorizedLoginError - unknown user, wrong password, inactive user, no session: one and the same.
 * @throws RequestError - the login route said anything else: its code, status and `retryAfterSeconds`.
 * @throws ConnectError - the ticket was given and no session came of it.
 * @throws TypeError - a URL or an option that is none, or no WebSocket on this platform and none given.
 */
export async function login<P extends object, M = MindOf<P>>(
  url: string | URL,
  credentials: Credentials | (() => Credentials | PromiseLike<Credentials>),
  ...[options]: OptionsArgument<M>
): Promise<Session<P>> {
  const given: ConnectionOptions = options ?? {}
  checkOptions(given)
  const address = resolveUrl(url, '/login')
  const shown = await askFor(credentials, given.signal)
  const ticket = await (shown.type === 'session'
    ? requestTicket(resolveUrl(url, '/ticket'), {}, given, 'include')
    : requestTicket(address, shown, given))
  return connect<P, M>(url, ticket, ...([options] as OptionsArgument<M>))
}

async function requestTicket(
  address: URL,
  credentials: unknown,
  options: ConnectionOptions,
  // A login sets no ambient state and needs none.
  cookies: 'include' | 'omit' = 'omit',
): Promise<string> {
  const timeout = AbortSignal.timeout(LOGIN_TIMEOUT_MS)
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
  const request = options.fetch ?? fetch
  let response: Response
  let body: unknown
  try {
    response = await request(address.href, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(credentials),
      credentials: cookies,
      // It might carry a password away.
      redirect: 'error',
      cache: 'no-store',
      signal,
    })
    body = await response.json().catch(() => null)
  } catch (error) {
    options.signal?.throwIfAborted()
    const why = timeout.aborted
      ? `no answer in ${String(LOGIN_TIMEOUT_MS / 1000)} s`
      : (error as Error).message
    throw new RequestError('PB_ERR_CLIENT_UNREACHABLE', `POST ${address.pathname}: ${why}`, 0, null)
  }
  const { ticket, code, message, retryAfter } = (body ?? {}) as Record<string, unknown>
  if (response.ok && typeof ticket === 'string') return ticket
  if (code === 'PB_ERR_LOGIN_REJECTED') throw new UnauthorizedLoginError()
  // What has no code of ours is of a proxy, or of another route.
  const isOurs = typeof code === 'string' && code.startsWith('PB_ERR_')
  const seconds = Number(retryAfter ?? response.headers.get('retry-after') ?? NaN)
  throw new RequestError(
    isOurs ? code : 'PB_ERR_CLIENT_UNREACHABLE',
    isOurs
      ? String(message)
      : `POST ${address.pathname}: expected a ticket, got ${String(response.status)} without one; is the plugin registered there?`,
    response.status,
    Number.isFinite(seconds) ? seconds : null,
  )
}
