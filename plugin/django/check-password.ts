import { createHash, timingSafeEqual } from 'node:crypto'
import { InvalidOptionError } from './errors.js'
import { hashPool } from './hash-pool.js'
import { encodePbkdf2, MAX_ITERATIONS, parsePbkdf2 } from './password-hash.js'

export interface PasswordOptions {
  /**
   * What a check costs where the stored value says nothing: the iterations of the site's Django. From 1 to 10,000,000,
   * default 1,000,000 (Django 5.2).
   */
  readonly iterations?: number
  /** Gives up a check that still waits for a worker; one that runs ends. */
  readonly signal?: AbortSignal
}

const DEFAULT_ITERATIONS = 1_000_000
/** As long as Django's own salts, so that it costs the same. */
const BURN_SALT = 'onlyForTheSameRunTimeX'

/**
 * Checks a password against the text of Django's password column, pbkdf2_sha256 only, in a worker thread: re-encodes and
 * compares the whole text in constant time. Exactly one derivation, also where the stored value is unusable, malformed
 * or of another hasher: that is false, after {@link burnPassword}. False without a derivation only for a password that
 * {@link isLoginText} refuses. Source: `django/contrib/auth/hashers.py`, `check_password`.
 * @throws PasswordQueueFullError `PB_ERR_LOGIN_BUSY`
 * @throws PasswordWorkerError `PB_ERR_LOGIN_WORKER`
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`: `iterations` out of range.
 * @throws `signal.reason`, when aborted before a worker was free.
 */
export async function checkPassword(
  password: string,
  encoded: string,
  options: PasswordOptions = {},
): Promise<boolean> {
  if (!isLoginText(password)) return false
  const parameters = parsePbkdf2(encoded)
  if (parameters === null) {
    await burnPassword(password, options)
    return false
  }
  const key = await hashPool.derive({ password, ...parameters }, options.signal)
  return isEqualText(encodePbkdf2(parameters, key), encoded)
}

/**
 * Spends what a check costs, for a user that does not exist, so that the time tells nothing. Source:
 * `ModelBackend.authenticate` (ticket 20760) and `check_password` (CVE-2024-39329).
 * @throws as {@link checkPassword}.
 */
export async function burnPassword(password: string, options: PasswordOptions = {}): Promise<void> {
  const iterations = options.iterations ?? DEFAULT_ITERATIONS
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) {
    throw new InvalidOptionError('iterations', 'a whole number from 1 to 10000000', iterations)
  }
  if (!isLoginText(password)) return
  await hashPool.derive({ password, salt: BURN_SALT, iterations }, options.signal)
}

/**
 * Tells whether a text may be a username or a password at all. Django's form refuses NUL (HMAC would take `pw` and `pw\0`
 * for the same); Python cannot encode a lone surrogate, which Node would take for U+FFFD.
 */
export function isLoginText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text)
}

// Digests have one length, which timingSafeEqual demands.
function isEqualText(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
