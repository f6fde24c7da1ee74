/** The options of the further ways to log in; each is off until it is given. */
import type { KeyObject } from 'node:crypto'
import {
  DEFAULT_BACKENDS,
  InvalidOptionError,
  resolveSessionStore,
  type SessionStoreOptions,
} from './django/index.js'
import { derive } from './ticket/keys.js'

export interface DjangoSessionsOption extends SessionStoreOptions {
  /** SESSION_COOKIE_NAME; default `sessionid`. */
  readonly cookieName?: string
  /**
   * AUTHENTICATION_BACKENDS; a session of another one is nobody's, as for Django. Default: Django's own,
   * `django.contrib.auth.backends.ModelBackend`.
   */
  readonly backends?: readonly string[]
}

export interface WaysIn {
  /**
   * Lets a page in with the session cookie that Django gave it: `POST <prefix>/ticket`, `login(url, { type: 'session' })`.
   * Needs Django's SECRET_KEY in this process, and SELECT on its session table. Default: off.
   */
  readonly djangoSessions?: DjangoSessionsOption
  /**
   * Lets everybody in who asks as `{ type: 'anonymous' }`: a user like Django's AnonymousUser, without name or
   * permissions, of the checker `anonymous`. Default false.
   */
  readonly anonymous?: boolean
  /**
   * Lets a page log in without sending the password: `POST <prefix>/challenge`, `login(url, { type: 'hashed-password', … })`.
   * For users of `pbkdf2_sha256` with 100,000 iterations and more.
   *
   * What it costs: whoever can read the password column, in a backup or by an injection, can then log in as any of these
   * users at once, whether they use it or not, where the hashes must first be cracked without it.
   *
   * `saltSecret` makes the salts that others are shown, and must never change, or they can be told from real ones. With
   * `true` the last of `ticket.secret` makes them. Default false.
   */
  readonly allowPasswordEquivalentHashes?: boolean | { readonly saltSecret: string }
}

export interface ResolvedDjangoSessions {
  readonly store: SessionStoreOptions
  readonly cookieName: string
  readonly backends: readonly string[]
}

export interface ResolvedWaysIn {
  readonly djangoSessions: ResolvedDjangoSessions | null
  readonly anonymous: boolean
  /** Makes salts; null where no hash is taken for a password. */
  readonly saltKey: KeyObject | null
}

/** Names of options, for the list of those that are known. */
export const WAYS_IN_NAMES: readonly (keyof WaysIn)[] = [
  ...(['djangoSessions', 'anonymous', 'allowPasswordEquivalentHashes'] as const),
]

/** As much as HS256 needs, for the same reason. */
const MIN_SECRET_BYTES = 32

const SESSION_NAMES: readonly string[] = [
  ...['secretKeys', 'engine', 'table', 'maxAgeSeconds', 'cookieName', 'backends'],
]

/**
 * Checks the options and fills in the defaults. `ticketSecrets`: what tickets are signed with.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID` - never shows a key.
 */
export function readWaysIn(
  { djangoSessions, anonymous = false, allowPasswordEquivalentHashes = false }: WaysIn,
  ticketSecrets: unknown,
): ResolvedWaysIn {
  if (typeof anonymous !== 'boolean') {
    throw new InvalidOptionError('anonymous', 'true or false', anonymous)
  }
  return {
    djangoSessions: djangoSessions === undefined ? null : readDjangoSessions(djangoSessions),
    anonymous,
    saltKey: readSaltKey(allowPasswordEquivalentHashes, ticketSecrets),
  }
}

function readSaltKey(option: unknown, ticketSecrets: unknown): KeyObject | null {
  const name = 'allowPasswordEquivalentHashes'
  if (option === false) return null
  if (option === true) {
    const secrets: unknown[] = Array.isArray(ticketSecrets) ? ticketSecrets : [ticketSecrets]
    const last = secrets.at(-1)
    if (typeof last === 'string') return derive(last, 'salt')
    throw new InvalidOptionError(name, '{ saltSecret } where there is no ticket.secret', option)
  }
  if (typeof option !== 'object' || option === null) {
    throw new InvalidOptionError(name, 'true, false or { saltSecret }', option)
  }
  const { saltSecret, ...unknown } = option as { saltSecret?: unknown }
  for (const other of Object.keys(unknown)) {
    throw new InvalidOptionError(`${name}.${other}`, 'saltSecret', other, 'an unknown name')
  }
  if (typeof saltSecret === 'string' && Buffer.byteLength(saltSecret) >= MIN_SECRET_BYTES)
    return derive(saltSecret, 'salt')
  const expected = `at least ${String(MIN_SECRET_BYTES)} bytes of your own`
  throw new InvalidOptionError(`${name}.saltSecret`, expected, saltSecret)
}

function readDjangoSessions(option: DjangoSessionsOption): ResolvedDjangoSessions {
  if (typeof option !== 'object' || (option as unknown) === null) {
    throw new InvalidOptionError('djangoSessions', '{ secretKeys: [SECRET_KEY] }', option)
  }
  for (const name of Object.keys(option)) {
    if (SESSION_NAMES.includes(name)) continue
    const expected = `one of ${SESSION_NAMES.join(', ')}`
    throw new InvalidOptionError(`djangoSessions.${name}`, expected, name, 'an unknown name')
  }
  const { cookieName = 'sessionid', backends = DEFAULT_BACKENDS, ...store } = option
  resolveSessionStore(store, 'djangoSessions.')
  // RFC 6265 section 4.1.1: a token.
  if (typeof cookieName !== 'string' || !/^[\w!#$%&'*+.^`|~-]+$/.test(cookieName)) {
    throw new InvalidOptionError('djangoSessions.cookieName', 'the name of a cookie', cookieName)
  }
  const isList = Array.isArray(backends) && backends.length > 0
  if (!isList || !backends.every((path) => typeof path === 'string' && path !== '')) {
    const expected = 'a list such as ["django.contrib.auth.backends.ModelBackend"]'
    throw new InvalidOptionError('djangoSessions.backends', expected, backends)
  }
  return { store, cookieName, backends }
}
