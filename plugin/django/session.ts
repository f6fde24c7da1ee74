/** Reads Django's sessions; writes none. Source: `django/contrib/sessions/backends/base.py`. */
import { inflateSync } from 'node:zlib'
import { InvalidOptionError } from './errors.js'
import { saltedHmac, type SecretKey, unsign } from './signing.js'

/** What signs a site's sessions, and how old they may be. */
export interface SessionOptions {
  /** The site's SECRET_KEY. Whoever has it can sign whatever Django signs: keep it out of logs. */
  readonly secretKey: SecretKey
  /** SECRET_KEY_FALLBACKS: keys that used to sign, tried after the first. */
  readonly secretKeyFallbacks?: readonly SecretKey[]
  /**
   * Default `django.contrib.sessions.SessionStore`, of the engines `db` and `cached_db`; an engine of your own has the name
   * of its class there. The cookie of the engine `signed_cookies` has `django.contrib.sessions.backends.signed_cookies`.
   */
  readonly salt?: string
  /**
   * Refuses what was signed longer ago. Django asks it of `signed_cookies` alone (SESSION_COOKIE_AGE, 1209600 by default);
   * for the others `expire_date` of the row decides. Default: no limit.
   */
  readonly maxAgeSeconds?: number
  /** Milliseconds since 1970; default: this machine's clock. */
  readonly now?: number
}

/** Django has no such limit; a session is a few hundred bytes. */
const MAX_INFLATED_BYTES = 4 * 1024 * 1024

/**
 * Decodes `sessionData`, the text of `django_session.session_data`, or the cookie of `signed_cookies`, compressed or not, as Django since
 * 3.1 writes it with its JSON serializer. Null for whatever Django takes for an empty session: not signed by one of the
 * keys, too old, no JSON; also for JSON that is no object, for NaN and Infinity, which Python takes, and for more than
 * 4 MiB. Whether the row is there and not expired is the caller's query; who the user is, see {@link sessionAuthHash}.
 * A key `__proto__` is an own property of the object. `options` has the site's keys.
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`: a key that is empty or none.
 */
export function decodeSession(
  sessionData: string,
  options: SessionOptions,
): Record<string, unknown> | null {
  const {
    secretKey,
    secretKeyFallbacks = [],
    salt = 'django.contrib.sessions.SessionStore',
  } = options
  const keys = [secretKey, ...secretKeyFallbacks]
  for (const key of keys) refuseEmpty('secretKey', key)
  if (typeof sessionData !== 'string') return null
  const signed = unsign(sessionData, salt, keys)
  if (signed === null) return null
  const { maxAgeSeconds, now = Date.now() } = options
  if (maxAgeSeconds !== undefined && !(now / 1000 - signed.timestamp <= maxAgeSeconds)) return null
  return parseObject(signed.value)
}

/**
 * Computes what `_auth_user_hash` of a session must be, from the `passwordField` of its user's row and the site's `secretKey`: a session is its user's only while the two are equal, so a new
 * password ends it. Hexadecimal, 64 characters. With SECRET_KEY_FALLBACKS any of their hashes will do.
 * Source: `AbstractBaseUser.get_session_auth_hash`.
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`: a key that is empty or none.
 */
export function sessionAuthHash(passwordField: string, secretKey: SecretKey): string {
  refuseEmpty('secretKey', secretKey)
  const salt = 'django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash'
  return saltedHmac(salt, passwordField, secretKey).toString('hex')
}

function parseObject(value: string): Record<string, unknown> | null {
  try {
    const isDeflated = value.startsWith('.')
    const bytes = Buffer.from(isDeflated ? value.slice(1) : value, 'base64url')
    const json = isDeflated ? inflateSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES }) : bytes
    // Django escapes to ASCII, and reads as it says here.
    const session: unknown = JSON.parse(json.toString('latin1'))
    if (session === null || typeof session !== 'object' || Array.isArray(session)) return null
    return session as Record<string, unknown>
  } catch {
    return null
  }
}

function refuseEmpty(option: string, key: unknown): void {
  const isGood = typeof key === 'string' ? key !== '' : key instanceof Uint8Array && key.length > 0
  if (!isGood) throw new InvalidOptionError(option, "Django's SECRET_KEY", key)
}
