import type { FastifyRequest } from 'fastify'
import { InvalidOptionError } from './django/index.js'
import { OriginRefused, type RouteError } from './errors.js'

/** Characters of a refused origin that are told and logged: it is the request's own text. */
const MAX_SHOWN = 200

/**
 * Reads an allow-list of origins (RFC 6454 section 6.2): each exact, scheme, host and port; no pattern and no `*`.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`
 */
export function readOrigins(value: unknown): ReadonlySet<string> {
  if (!Array.isArray(value)) {
    throw new InvalidOptionError(
      'allowedOrigins',
      'a list such as ["https://www.example.com"]',
      value,
    )
  }
  return new Set(
    (value as unknown[]).map((entry, index) => {
      const url = typeof entry === 'string' && URL.canParse(entry) ? new URL(entry) : null
      const isOrigin =
        url !== null &&
        (url.protocol === 'https:' || url.protocol === 'http:') &&
        url.username === '' &&
        url.pathname === '/' &&
        url.search === '' &&
        url.hash === '' &&
        !url.hostname.includes('*')
      if (!isOrigin) {
        // With an @ in it there may be a password.
        const isShown = typeof entry === 'string' && entry !== '' && !entry.includes('@')
        throw new InvalidOptionError(
          `allowedOrigins[${String(index)}]`,
          'scheme, host and port, such as "https://www.example.com"; no path and no *',
          entry,
          ...(isShown ? [JSON.stringify(entry)] : []),
        )
      }
      return url.origin
    }),
  )
}

/**
 * Tells whether a request may come from where it says. A browser always names an origin on POST and on an upgrade; what
 * names none is no page, and has nobody's cookies or session to abuse. `null` is a sandboxed page and refused.
 */
export function isAllowedOrigin(origins: ReadonlySet<string>, origin: string | undefined): boolean {
  return origin === undefined || origins.has(origin)
}

/** The refusal of a request for its origin, logged with what was expected, which is no business of the page's. */
export function refuseOrigin(
  { headers, log }: FastifyRequest,
  origins: ReadonlySet<string>,
): RouteError {
  const origin = headers.origin?.slice(0, MAX_SHOWN)
  log.info({ origin, allowedOrigins: [...origins] }, 'perspective: origin refused')
  return new OriginRefused(origin === undefined ? 'none' : JSON.stringify(origin))
}
