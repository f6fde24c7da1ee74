/** The plugin's routes, asked by POST. */
import { UnauthorizedLoginError } from '../broker/index.js'
import { RequestError } from './errors.js'
import type { ConnectionOptions } from './options.js'

/** What a route answers when it lets somebody in. */
export interface Grant {
  readonly ticket: string
  /** The first renewal token; absent where the account gets none. */
  readonly renewal?: unknown
}

/**
 * The plugin's prefix, absolute and without a slash at its end; a relative one is the page's.
 *
 * @throws TypeError - it is none.
 */
export function resolvePrefix(url: string | URL): string {
  const page = (globalThis as { location?: { href: string } }).location?.href
  let address: URL
  try {
    address = new URL(url, page)
  } catch {
    throw new TypeError(
      `url: expected the plugin's prefix, such as "/perspective"${page === undefined ? ', absolute outside a page' : ''}; got ${JSON.stringify(String(url))}`,
    )
  }
  const { protocol, origin, pathname } = address
  if (!/^https?:$/.test(protocol)) {
    throw new TypeError(`url: expected http or https, got ${JSON.stringify(protocol)}`)
  }
  return origin + pathname.replace(/\/+$/, '')
}

/** Sends JSON; a redirect might carry a secret away, and only the route that reads a cookie gets one. */
export function post(
  address: string,
  body: unknown,
  { fetch: request = fetch }: ConnectionOptions,
  init: RequestInit,
): Promise<Response> {
  return request(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    credentials: 'omit',
    redirect: 'error',
    cache: 'no-store',
    ...init,
  })
}

/** A signal that aborts with another one, or after a time. */
export function within(seconds: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(seconds * 1000)
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout])
}

/**
 * Asks a route for a ticket.
 *
 * @throws UnauthorizedLoginError - the credentials are refused.
 * @throws RequestError - any other answer, or none in time.
 */
export async function requestTicket(
  address: string,
  body: unknown,
  options: ConnectionOptions,
  seconds: number,
  signal: AbortSignal | undefined,
  init?: RequestInit,
): Promise<Grant> {
  const limited = within(seconds, signal)
  let response: Response
  let answer: unknown
  try {
    response = await post(address, body, options, { ...init, signal: limited })
    answer = await response.json().catch((error: unknown) => {
      // A page of a proxy; anything else is a connection that broke off.
      if (!(error instanceof SyntaxError)) throw error
    })
  } catch (error) {
    signal?.throwIfAborted()
    const why = limited.aborted ? `no answer in ${String(seconds)} s` : (error as Error).message
    throw new RequestError('PB_ERR_CLIENT_UNREACHABLE', `POST ${address}: ${why}`, 0, null)
  }
  const { ticket, renewal, code, message, retryAfter } = (answer ?? {}) as Record<string, unknown>
  if (response.ok && typeof ticket === 'string') return { ticket, renewal }
  if (code === 'PB_ERR_LOGIN_REJECTED') throw new UnauthorizedLoginError()
  // What has no code of ours is of a proxy, or of another route.
  const isOurs = typeof code === 'string' && code.startsWith('PB_ERR_')
  const after = Number(retryAfter ?? response.headers.get('retry-after') ?? NaN)
  throw new RequestError(
    isOurs ? code : 'PB_ERR_CLIENT_UNREACHABLE',
    isOurs
      ? String(message)
      : `POST ${address}: expected a ticket, got ${String(response.status)} without one; is the plugin registered there?`,
    response.status,
    Number.isFinite(after) ? after : null,
  )
}
