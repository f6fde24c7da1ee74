/** Django's session cookies as a way in: whom a cookie is of, and which ticket was given for which session. */
import type { FastifyBaseLogger } from 'fastify'
import {
  authenticateSession,
  DjangoSessions,
  type DjangoUsers,
  type OpenDatabase,
  type SessionLoginOptions,
} from '../django/index.js'
import { type Account, DJANGO } from '../portal/portal.js'
import type { ResolvedDjangoSessions } from '../ways-in.js'

/** Characters of session keys that wait for their tickets' use, each with what an entry weighs. */
const MAX_CHARACTERS = 16_000_000
const ENTRY_CHARACTERS = 200

interface Given {
  readonly sessionKey: string
  readonly untilMs: number
}

/** An account that Django has logged in by a session, and that session's key. */
export type SessionAccount = Account & { readonly sessionKey: string }

export class CookieSessions {
  readonly #users: DjangoUsers
  readonly #sessions: DjangoSessions
  readonly #options: SessionLoginOptions
  readonly #cookieName: string
  readonly #now: () => number
  readonly #given = new Map<string, Given>()
  #characters = 0

  constructor(
    users: DjangoUsers,
    sessions: DjangoSessions,
    options: SessionLoginOptions & { readonly cookieName: string },
    now: () => number,
  ) {
    this.#users = users
    this.#sessions = sessions
    this.#options = options
    this.#cookieName = options.cookieName
    this.#now = now
  }

  /**
   * Finds the account of a Cookie header; null for every cause.
   *
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async authenticate(header: string | undefined): Promise<SessionAccount | null> {
    const sessionKey = cookieOf(header ?? '', this.#cookieName)
    if (sessionKey === null) return null
    const account = await authenticateSession(
      this.#users,
      this.#sessions,
      sessionKey,
      this.#options,
    )
    if (account === null) return null
    return { user: account.user, binding: account.password, checker: DJANGO, sessionKey }
  }

  /** Keeps the session that a ticket was given for until the ticket is used or has expired; false where there is no room. */
  remember(jti: string, sessionKey: string, untilMs: number): boolean {
    this.#forgetExpired()
    const characters = sessionKey.length + ENTRY_CHARACTERS
    if (this.#characters + characters > MAX_CHARACTERS) return false
    this.#characters += characters
    this.#given.set(jti, { sessionKey, untilMs })
    return true
  }

  /** Hands over the session of a ticket that is used; null where it was given for something else. */
  take(jti: string): string | null {
    const given = this.#given.get(jti)
    if (given === undefined) return null
    this.#forget(jti, given)
    return given.sessionKey
  }

  /**
   * Tells which of these sessions Django still has.
   *
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  alive(sessionKeys: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#sessions.alive(sessionKeys)
  }

  #forgetExpired(): void {
    // In the order in which they were given, which is that in which they expire.
    for (const [jti, given] of this.#given) {
      if (given.untilMs > this.#now()) return
      this.#forget(jti, given)
    }
  }

  #forget(jti: string, { sessionKey }: Given): void {
    this.#given.delete(jti)
    this.#characters -= sessionKey.length + ENTRY_CHARACTERS
  }
}

/** Null where the option is not given. */
export function openCookieSessions(
  option: ResolvedDjangoSessions | null,
  database: OpenDatabase,
  users: DjangoUsers,
  log: FastifyBaseLogger,
  now: () => number,
): CookieSessions | null {
  if (option === null) return null
  const { store, cookieName, backends } = option
  const warn = (message: string): void => log.warn(`perspective: ${message}`)
  const sessions = new DjangoSessions(database, store)
  return new CookieSessions(users, sessions, { cookieName, backends, warn }, now)
}

/**
 * What a ticket is bound to: of a session's, the session too, so that it opens nothing where the session is not known to
 * have been asked about.
 */
export function boundTo(account: Account, sessionKey: string | null): Account {
  if (sessionKey === null) return account
  return { ...account, binding: JSON.stringify([account.binding, sessionKey]) }
}

/**
 * The value of a cookie; null where there is none of that name, or more than one: a sibling host can put a second one
 * beside Django's, and which of them counts would be anybody's guess. Source: `django.http.cookie.parse_cookie`.
 */
function cookieOf(header: string, name: string): string | null {
  const values = header.split(';').flatMap((pair) => {
    const at = pair.indexOf('=')
    return at >= 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : []
  })
  const [value = ''] = values
  // A copy: a slice would keep the whole header for as long as the session lives.
  return values.length === 1 && value !== '' ? Buffer.from(value).toString() : null
}
