/** Reads Django's session store; writes nothing. Source: `django/contrib/sessions/backends/{db,cached_db,signed_cookies}.py`. */
import { type Database, OpenDatabase, openDatabase } from './database.js'
import { decodeSession } from './session.js'
import {
  type ResolvedSessionStore,
  resolveSessionStore,
  type SessionStoreOptions,
} from './session-store-options.js'
import type { SecretKey } from './signing.js'

const COOKIE_SALT = 'django.contrib.sessions.backends.signed_cookies'
/** `_validate_session_key`, and the width of the column: a shorter or longer one is nobody's. */
const KEY_LENGTHS = { least: 8, most: 40 } as const
/** No browser keeps a longer cookie. */
const MAX_COOKIE_LENGTH = 4096

/** The sessions of a site. A session key is the value of its cookie, and as good as a password: keep it out of logs. */
export class DjangoSessions {
  readonly #database: OpenDatabase
  readonly #isOwner: boolean
  readonly #store: ResolvedSessionStore

  /**
   * Connects to the `database` at the first query; one that is open stays the caller's to close. `options`: the site's settings.
   * @throws InvalidOptionError `PB_ERR_OPT_INVALID`
   */
  constructor(database: OpenDatabase | string | Database, options: SessionStoreOptions) {
    this.#store = resolveSessionStore(options)
    this.#isOwner = !(database instanceof OpenDatabase)
    this.#database = database instanceof OpenDatabase ? database : openDatabase(database)
  }

  /** SECRET_KEY, then its fallbacks. */
  get secretKeys(): readonly [SecretKey, ...SecretKey[]] {
    return this.#store.secretKeys
  }

  /**
   * Reads what the session of a `sessionKey` holds, `{}` for one that holds nothing. Null where there is none: unknown, expired, not signed
   * by one of the keys, not of JSON. Who is logged in by it: see `authenticateSession`.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async read(sessionKey: string): Promise<Record<string, unknown> | null> {
    const { statements, secretKeys, maxAgeSeconds } = this.#store
    const [secretKey, ...secretKeyFallbacks] = secretKeys
    const keys = { secretKey, secretKeyFallbacks }
    if (statements === null) {
      if (typeof sessionKey !== 'string' || sessionKey.length > MAX_COOKIE_LENGTH) return null
      return decodeSession(sessionKey, { ...keys, salt: COOKIE_SALT, maxAgeSeconds })
    }
    if (!isSessionKey(sessionKey)) return null
    const [row] = await this.#database.query<{ data: string }>(statements.read, [sessionKey])
    return row === undefined ? null : decodeSession(row.data, keys)
  }

  /**
   * Tells which of the sessions of these `sessionKeys` are still there and not expired, in one query. Of `signed_cookies` all are: Django
   * itself cannot end one before its time.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async alive(sessionKeys: readonly string[]): Promise<ReadonlySet<string>> {
    const { statements } = this.#store
    if (statements === null) return new Set(sessionKeys)
    const asked = sessionKeys.filter(isSessionKey)
    if (asked.length === 0) return new Set()
    const rows = await this.#database.query<{ key: string }>(statements.alive, [asked])
    return new Set(rows.map(({ key }) => key))
  }

  /** Ends the connections that this object opened. */
  async close(): Promise<void> {
    if (this.#isOwner) await this.#database.close()
  }
}

function isSessionKey(text: unknown): text is string {
  return (
    typeof text === 'string' &&
    text.length >= KEY_LENGTHS.least &&
    text.length <= KEY_LENGTHS.most &&
    !text.includes('\0') &&
    !/\p{Surrogate}/u.test(text)
  )
}
