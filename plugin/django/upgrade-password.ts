/** Writing a password anew at a login, as Django does. Source: `verify_password`, `AbstractBaseUser.check_password`. */
import { isLoginText, type PasswordOptions } from './check-password.js'
import { InvalidOptionError } from './errors.js'
import { hashPool } from './hash-pool.js'
import type { HasherName } from './hashers/hasher.js'
import { HASHERS, identifyHash } from './hashers/identify.js'
import { resolvePasswordSettings } from './password-options.js'

/** The hashers that new values are written with. */
export const WRITTEN_HASHERS: readonly HasherName[] = [
  'pbkdf2_sha256',
  'pbkdf2_sha1',
  'argon2',
  'bcrypt_sha256',
  'scrypt',
]

/**
 * Tells whether Django, with the site's `options`, would write a stored value, `encoded`, anew when its password is right: it is not of the preferred hasher, has
 * other parameters than the site's, higher ones too, or a salt of less than 128 bits. False for a value that nobody's
 * password can match.
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`
 */
export function isPasswordOutdated(encoded: string, options: PasswordOptions = {}): boolean {
  const { hashers, costs } = resolvePasswordSettings(options)
  const identified = identifyHash(encoded, hashers)
  if (identified.is !== 'usable') return false
  const [preferred] = hashers
  if (identified.name !== preferred) return true
  return HASHERS[preferred].isOutdated(identified.hash.recipe, costs)
}

/**
 * Makes the text for the password column from a `password` with the preferred hasher of the `options`, its parameters and a new salt, in a worker thread.
 * Null where nothing is written with that hasher: see {@link WRITTEN_HASHERS}. Keep it out of logs.
 * @throws as `checkPassword`; InvalidOptionError `PB_ERR_OPT_INVALID` also for a password that no login would take.
 */
export async function makePassword(
  password: string,
  options: PasswordOptions = {},
): Promise<string | null> {
  const {
    hashers: [preferred],
    costs,
  } = resolvePasswordSettings(options)
  if (typeof password !== 'string' || !isLoginText(password)) {
    throw new InvalidOptionError('password', 'text without NUL or a lone surrogate', password)
  }
  const draft = HASHERS[preferred].draft(costs)
  const hash = draft === null ? null : HASHERS[preferred].parse(draft)
  if (hash === null) return null
  return hash.encode(await hashPool.derive({ password, recipe: hash.recipe }, options))
}
