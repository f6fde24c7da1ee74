/** The options of the further ways to log in; each is off until it is given. */
import {
  DEFAULT_BACKENDS,
  InvalidOptionError,
  resolveSessionStore,
  type SessionStoreOptions,
} from './django/index.js'

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
}

export interface ResolvedDjangoSessions {
  readonly store: SessionStoreOptions
  readonly cookieName: string
  readonly backends: readonly string[]
}

export interface ResolvedWaysIn {
  readonly djangoSessions: ResolvedDjangoSessions | null
  readonly anonymous: boolean
}

/** Names of options, for the list of those that are known. */
export const WAYS_IN_NAMES: readonly (keyof WaysIn)[] = ['djangoSessions', 'anonymous']

const SESSION_NAMES: readonly string[] = [
  ...['secretKeys', 'engine', 'table', 'maxAgeSeconds', 'cookieName', 'backends'],
]

/**
 * Checks the options and fills in the defaults. `ticketSecrets`: what tickets are signed with.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID` - never shows a key.
 */
export function readWaysIn(
  { djangoSessions, anonymous = false }: WaysIn,
  ticketSecrets: unknown,
): ResolvedWaysIn {
  if (typeof anonymous !== 'boolean') {
    throw new InvalidOptionError('anonymous', 'true or false', anonymous)
  }
  return {
    djangoSessions:
      djangoSessions === undefined ? null : readDjangoSessions(djangoSessions, ticketSecrets),
    anonymous,
  }
}

function readDjangoSessions(
  option: DjangoSessionsOption,
  ticketSecrets: unknown,
): ResolvedDjangoSessions {
  if (typeof option !== 'object' || (option as unknown) === null) {
    throw new InvalidOptionError('djangoSessions', '{ secretKeys: [SECRET_KEY] }', option)
  }
  for (const name of Object.keys(option)) {
    if (SESSION_NAMES.includes(name)) continue
    const expected = `one of ${SESSION_NAMES.join(', ')}`
    throw new InvalidOptionError(`djangoSessions.${name}`, expected, name, 'an unknown name')
  }
  const { cookieName = 'sessionid', backends = DEFAULT_BACKENDS, ...store } = option
  const { secretKeys } = resolveSessionStore(store, 'djangoSessions.')
  const secrets: unknown[] = Array.isArray(ticketSecrets) ? ticketSecrets : [ticketSecrets]
  if (secretKeys.some((key) => secrets.includes(key))) {
    const expected = "a secret of its own, not Django's SECRET_KEY"
    throw new InvalidOptionError('ticket.secret', expected, ticketSecrets, 'a SECRET_KEY')
  }
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
