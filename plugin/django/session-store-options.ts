import { InvalidOptionError } from './errors.js'
import { qualifyTable } from './identifiers.js'
import type { SecretKey } from './signing.js'

/** The last part of the site's SESSION_ENGINE. Sessions that are only in a cache or in files cannot be read from here. */
export type SessionEngine = 'db' | 'cached_db' | 'signed_cookies'

/** Where a site keeps its sessions, and how they are signed. */
export interface SessionStoreOptions {
  /**
   * SECRET_KEY, then SECRET_KEY_FALLBACKS. Whoever has them can sign whatever Django signs: load them apart from other
   * settings, and keep them out of logs.
   */
  readonly secretKeys: readonly SecretKey[]
  /** Default `db`. `cached_db` has the same rows. */
  readonly engine?: SessionEngine
  /** Of `db` and `cached_db`: `table` or `schema.table`; default `django_session`. */
  readonly table?: string
  /** Of `signed_cookies`: SESSION_COOKIE_AGE in seconds; default 1209600, two weeks. */
  readonly maxAgeSeconds?: number
}

export interface ResolvedSessionStore {
  readonly secretKeys: readonly [SecretKey, ...SecretKey[]]
  /** Null: the cookie itself is the session. */
  readonly statements: { readonly read: string; readonly alive: string } | null
  readonly maxAgeSeconds: number
}

const ENGINES: readonly SessionEngine[] = ['db', 'cached_db', 'signed_cookies']
const TWO_WEEKS = 1_209_600

/**
 * Checks the options and fills in the defaults. `prefix` goes before their names in errors.
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`: shows nothing of a key.
 */
export function resolveSessionStore(
  options: SessionStoreOptions,
  prefix: string = '',
): ResolvedSessionStore {
  const { engine = 'db', table, maxAgeSeconds } = options
  const secretKeys = readSecretKeys(`${prefix}secretKeys`, options.secretKeys)
  if (!ENGINES.includes(engine)) {
    throw new InvalidOptionError(`${prefix}engine`, `one of ${ENGINES.join(', ')}`, engine)
  }
  if (engine === 'signed_cookies') {
    if (table !== undefined) {
      throw new InvalidOptionError(`${prefix}table`, 'none: signed_cookies has no table', table)
    }
    const seconds = readSeconds(`${prefix}maxAgeSeconds`, maxAgeSeconds ?? TWO_WEEKS)
    return { secretKeys, statements: null, maxAgeSeconds: seconds }
  }
  if (maxAgeSeconds !== undefined) {
    const expected = `none: with ${engine} each row says when it expires`
    throw new InvalidOptionError(`${prefix}maxAgeSeconds`, expected, maxAgeSeconds)
  }
  const statements = buildStatements(`${prefix}table`, table ?? 'django_session')
  return { secretKeys, statements, maxAgeSeconds: Infinity }
}

function buildStatements(option: string, table: string): { read: string; alive: string } {
  const from = `FROM ${qualifyTable(option, table)} WHERE expire_date > now() AND`
  return {
    read: `SELECT session_data AS "data" ${from} session_key = $1`,
    alive: `SELECT session_key AS "key" ${from} session_key = ANY($1::varchar[])`,
  }
}

function readSecretKeys(option: string, keys: unknown): readonly [SecretKey, ...SecretKey[]] {
  if (!Array.isArray(keys) || keys.length === 0) {
    const expected = "a list of Django's SECRET_KEY and then its SECRET_KEY_FALLBACKS"
    throw new InvalidOptionError(option, expected, keys)
  }
  for (const [index, key] of (keys as unknown[]).entries()) {
    const name = `${option}[${String(index)}]`
    // `django-options` prints one for each key: taken for the key itself, anybody could sign with it.
    if (typeof key === 'string' && /^process\.env\.\w+$/.test(key)) {
      throw new InvalidOptionError(name, 'the value of a variable', key, 'its name')
    }
    const isText = typeof key === 'string' && key !== ''
    if (isText || (key instanceof Uint8Array && key.length > 0)) continue
    throw new InvalidOptionError(name, "a SECRET_KEY of Django's", key)
  }
  return Object.freeze([...(keys as [SecretKey, ...SecretKey[]])])
}

function readSeconds(option: string, seconds: unknown): number {
  if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds > 0) return seconds
  const shown = typeof seconds === 'number' ? String(seconds) : undefined
  throw new InvalidOptionError(option, 'whole seconds, at least 1', seconds, shown)
}
