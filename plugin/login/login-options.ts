/** The options of what happens around a login: hooks, and what is written of it. */
import {
  type HasherName,
  InvalidOptionError,
  type PasswordSettings,
  resolvePasswordSettings,
  WRITTEN_HASHERS,
} from '../django/index.js'
import type { LoginHooks } from './login-hooks.js'

export interface LoginOptions {
  /**
   * Whether a login with a password writes `last_login`, as Django's does. Default true. Where it cannot be written the
   * user is in all the same, and the log says so once. Tickets that cost no password write nothing.
   */
  readonly updateLastLogin?: boolean
  /**
   * Whether a right password is written anew where Django would do so: with the first of `hashers`, which must then be
   * one of pbkdf2_sha256, pbkdf2_sha1, argon2, bcrypt_sha256 and scrypt, and the site's own `passwordIterations` and
   * `passwordCosts`. Default false: it ends all sessions that the user has at the Django site, and where the parameters
   * here and there differ, each side undoes what the other has written.
   */
  readonly upgradePasswords?: boolean
  /** What the app has to say about a login: a lockout, a second factor, an audit. */
  readonly loginHooks?: LoginHooks
}

export interface ResolvedLoginOptions {
  readonly updateLastLogin: boolean
  readonly upgradePasswords: boolean
  readonly hooks: LoginHooks
}

export const LOGIN_OPTION_NAMES: readonly (keyof LoginOptions)[] = [
  'updateLastLogin',
  'upgradePasswords',
  'loginHooks',
]

const HOOK_NAMES: readonly (keyof LoginHooks)[] = ['beforeCheck', 'succeeded', 'failed']

/**
 * Checks the options and fills in the defaults; `passwords` are checked already.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`
 */
export function readLoginOptions(
  options: LoginOptions,
  passwords: PasswordSettings,
): ResolvedLoginOptions {
  const upgradePasswords = readBoolean('upgradePasswords', options.upgradePasswords, false)
  if (upgradePasswords) requireWritable(resolvePasswordSettings(passwords).hashers[0])
  return {
    updateLastLogin: readBoolean('updateLastLogin', options.updateLastLogin, true),
    upgradePasswords,
    hooks: readHooks(options.loginHooks === undefined ? {} : options.loginHooks),
  }
}

function requireWritable(preferred: HasherName): void {
  if (WRITTEN_HASHERS.includes(preferred)) return
  throw new InvalidOptionError(
    'upgradePasswords',
    `false, or one of ${WRITTEN_HASHERS.join(', ')} first in hashers`,
    preferred,
    `true with ${preferred}`,
  )
}

function readHooks(hooks: unknown): LoginHooks {
  if (typeof hooks !== 'object' || hooks === null) {
    throw new InvalidOptionError('loginHooks', `an object with ${HOOK_NAMES.join(', ')}`, hooks)
  }
  for (const [name, hook] of Object.entries(hooks)) {
    const option = `loginHooks.${name}`
    if (!HOOK_NAMES.some((known) => known === name)) {
      throw new InvalidOptionError(
        option,
        `one of ${HOOK_NAMES.join(', ')}`,
        name,
        'an unknown name',
      )
    }
    if (hook !== undefined && typeof hook !== 'function') {
      throw new InvalidOptionError(option, 'a function', hook)
    }
  }
  return hooks
}

function readBoolean(option: string, value: unknown, unless: boolean): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? unless
  throw new InvalidOptionError(option, 'true or false', value)
}
