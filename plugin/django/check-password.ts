import { isEqualText } from './equal-text.js'
import { hashPool, type Waiter } from './hash-pool.js'
import { isCutByBcrypt } from './hashers/bcrypt.js'
import { HASHERS, type Identified, identifyHash } from './hashers/identify.js'
import {
  type PasswordSettings,
  type ResolvedPasswordSettings,
  resolvePasswordSettings,
} from './password-options.js'

/** The site's settings, and what concerns one check. */
export interface PasswordOptions extends PasswordSettings {
  /** Gives up a check that still waits for a worker; one that runs ends. */
  readonly signal?: AbortSignal
  /**
   * Whose check it is: an address, say. Checks wait by source in turns, and where the queue is full the source that has most in it
   * loses its newest. Default: all are of one.
   */
  readonly source?: string
  /**
   * Hears of a stored value that should not be there: malformed (Django answers it with an exception), of more work than
   * is allowed, of a hasher that `hashers` lacks. The text has nothing of the value in it but the hasher's name.
   */
  readonly warn?: (message: string) => void
}

/**
 * Checks `password` against `encoded`, the text of Django's password column, by the settings in `options`, in a worker thread: re-encodes and compares the whole
 * text in constant time. A value that is unusable, malformed, of more work than is allowed, or of a hasher that the site
 * does not list, is false after {@link burnPassword}; so is what is no text, such as a column's NULL. A wrong password of the preferred hasher spends what its hash lacks
 * of today's work. False without a derivation only for a password that {@link isLoginText} refuses.
 * Source: `django/contrib/auth/hashers.py`, `verify_password`.
 * @throws PasswordQueueFullError `PB_ERR_LOGIN_BUSY`
 * @throws PasswordWorkerError `PB_ERR_LOGIN_WORKER`
 * @throws HasherMissingError `PB_ERR_LOGIN_HASHER`: argon2 or bcrypt without its package.
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`
 * @throws `signal.reason`, when aborted before a worker was free.
 */
export async function checkPassword(
  password: string,
  encoded: string,
  options: PasswordOptions = {},
): Promise<boolean> {
  const settings = resolvePasswordSettings(options)
  if (typeof password !== 'string') {
    await spend('', settings, options)
    return false
  }
  if (!isLoginText(password)) return false
  const identified = identifyHash(encoded, settings.hashers)
  if (identified.is !== 'usable') {
    warnOf(identified, options.warn)
    await spend(password, settings, options)
    return false
  }
  const { name, hash } = identified
  const key = await hashPool.derive({ password, recipe: hash.recipe }, options)
  const isEqual = isEqualText(hash.encode(key), encoded)
  if (isEqual && (settings.bcryptTruncate || !isCutByBcrypt(hash.recipe, password))) return true
  const [preferred] = settings.hashers
  const missing = name === preferred ? HASHERS[name].harden(hash.recipe, settings.costs) : null
  if (missing !== null) await hashPool.derive({ password, recipe: missing }, options)
  return false
}

/**
 * Spends what `password` would cost as a new one, by the settings in `options`, for a user that does not exist, so that the time tells nothing. Source:
 * `ModelBackend.authenticate` (ticket 20760) and `verify_password` (CVE-2024-39329).
 * @throws as {@link checkPassword}.
 */
export async function burnPassword(password: string, options: PasswordOptions = {}): Promise<void> {
  const settings = resolvePasswordSettings(options)
  const text = typeof password === 'string' ? password : ''
  if (isLoginText(text)) await spend(text, settings, options)
}

/**
 * Tells whether a text may be a username or a password at all. Django's form refuses NUL (HMAC would take `pw` and `pw\0`
 * for the same); Python cannot encode a lone surrogate, which Node would take for U+FFFD.
 */
export function isLoginText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text)
}

async function spend(
  password: string,
  { hashers: [preferred], costs }: ResolvedPasswordSettings,
  waiter: Waiter,
): Promise<void> {
  await hashPool.derive({ password, recipe: HASHERS[preferred].spend(costs) }, waiter)
}

function warnOf(identified: Identified, warn: PasswordOptions['warn']): void {
  if (identified.is === 'disabled') {
    warn?.(`a stored password was refused: its hasher ${identified.name} is not in hashers`)
  } else if (identified.is === 'malformed') {
    warn?.(
      `a stored password was refused: ${identified.name} has not written it, or it asks for more work than is allowed`,
    )
  }
}
