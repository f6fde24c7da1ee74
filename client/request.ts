/** The plugin's routes, asked by POST. */
import { UnauthorizedLoginError } from '../broker/index.js'
import { RequestError } from './errors.js'
import type { ConnectionOptions } from './options.js'

/** What a route answers when it lets somebody in. */
export interface Grant extends Record<string, unknown> {
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

/**
 * Runs something with a signal that aborts when another one does, or after a time. By a timer: in Node 20 one garbage collection is
 * enough for `AbortSignal.any` of an `AbortSignal.timeout` never to fire.
 */
export async function within<T>(
  seconds: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => T | PromiseLike<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const limited = new AbortController()
  const timer = setTimeout(() => {
    limited.abort(new Error(`no answer in ${String(seconds)} s`))
  }, seconds * 1000)
  const abort = (): void => {
    limited.abort(signal?.reason)
  }
  signal?.addEventListener('abort', abort)
  try {
    return await run(limited.signal)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/**
 * Asks a route for a ticket, or for a challenge.
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
  const [response, answer] = await within(seconds, signal, async (limited) => {
    const response = await post(address, body, options, { ...init, signal: limited })
    const answer: unknown = await response.json().catch((error: unknown) => {
      // A page of a proxy; anything else is a connection that broke off.
      if (!(error instanceof SyntaxError)) throw error
    })
    return [response, answer] as const
  }).catch((error: unknown) => {
    signal?.throwIfAborted()
    const why = (error as Error).message
    throw new RequestError('PB_ERR_CLIENT_UNREACHABLE', `POST ${address}: ${why}`, 0, null)
  })
  const grant = (answer ?? {}) as Record<string, unknown>
  const { code, message, retryAfter } = grant
  if (response.ok && typeof (grant['ticket'] ?? grant['challenge']) === 'string')
    return grant as Grant
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
