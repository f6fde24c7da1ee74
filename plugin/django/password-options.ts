import { HasherMissingError, InvalidOptionError } from './errors.js'
import { isArgon2Cost } from './hashers/argon2.js'
import { isBcryptRounds } from './hashers/bcrypt.js'
import { DEFAULT_VERSION, readPasswordDefaults } from './hashers/defaults.js'
import { findMissingPackage } from './hashers/derive.js'
import type { HasherCosts, HasherName } from './hashers/hasher.js'
import { HASHER_NAMES } from './hashers/identify.js'
import { MAX_ITERATIONS } from './hashers/pbkdf2.js'
import { isScryptCost } from './hashers/scrypt.js'

/** Parameters of the site's own hasher classes, where they differ from Django's. */
export type PasswordCosts = {
  readonly [Kind in Exclude<keyof HasherCosts, 'iterations'>]?: HasherCosts[Kind]
}

/** What a site's settings say about its passwords. */
export interface PasswordSettings {
  /**
   * The site's PASSWORD_HASHERS by their `algorithm`, the preferred one first; a stored value of another one is refused,
   * as Django refuses it. Default: those of Django 5.2 (`passwordDefaults` has the others'). `'all'`: every one there
   * is, pbkdf2_sha256 preferred. What the preferred one costs is spent where there is no usable hash to say so.
   */
  readonly hashers?: readonly HasherName[] | 'all'
  /** Iterations of the site's PBKDF2 hashers. From 1 to 10,000,000, default 1,000,000 (Django 5.2). */
  readonly iterations?: number
  /** Parameters of the other hashers; default: Django's. */
  readonly costs?: PasswordCosts
  /**
   * Whether plain `bcrypt` ignores what a password has beyond 72 bytes, as with the Python package `bcrypt` before 5.0;
   * default false: such a password is refused.
   */
  readonly bcryptTruncate?: boolean
}

/** {@link PasswordSettings}, checked and filled in. */
export interface ResolvedPasswordSettings {
  /** At least one; the first is preferred. */
  readonly hashers: readonly [HasherName, ...HasherName[]]
  /** Of every hasher. */
  readonly costs: HasherCosts
  /** Whether plain `bcrypt` ignores what is beyond 72 bytes. */
  readonly bcryptTruncate: boolean
}

/**
 * Makes sure that the `hashers` which somebody asked for can be had, before a user is the first to need one.
 * @throws HasherMissingError `PB_ERR_LOGIN_HASHER`
 */
export function requireHashers(hashers: readonly HasherName[]): void {
  const missing = findMissingPackage(hashers)
  if (missing !== null) throw new HasherMissingError(missing)
}

/**
 * Checks `settings` and fills in the defaults. `names` are those of the options in errors.
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`
 */
export function resolvePasswordSettings(
  settings: PasswordSettings,
  names: { readonly iterations: string; readonly costs: string } = OWN_NAMES,
): ResolvedPasswordSettings {
  const defaults = readPasswordDefaults(DEFAULT_VERSION)
  const iterations = settings.iterations ?? defaults.iterations
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) {
    throw new InvalidOptionError(names.iterations, 'a whole number from 1 to 10000000', iterations)
  }
  return {
    hashers: readHashers(settings.hashers ?? defaults.hashers),
    costs: { iterations, ...readCosts({ ...defaults.costs, ...settings.costs }, names.costs) },
    bcryptTruncate: readBoolean('bcryptTruncate', settings.bcryptTruncate),
  }
}

const OWN_NAMES = { iterations: 'iterations', costs: 'costs' } as const

function readHashers(hashers: unknown): readonly [HasherName, ...HasherName[]] {
  if (hashers === 'all') return HASHER_NAMES as [HasherName, ...HasherName[]]
  const expected = `'all' or a list of ${HASHER_NAMES.join(', ')}`
  if (!Array.isArray(hashers) || hashers.length === 0) {
    throw new InvalidOptionError('hashers', expected, hashers)
  }
  for (const [index, name] of (hashers as unknown[]).entries()) {
    if (HASHER_NAMES.some((known) => known === name)) continue
    throw new InvalidOptionError(`hashers[${String(index)}]`, expected, name)
  }
  return hashers as [HasherName, ...HasherName[]]
}

function readBoolean(option: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new InvalidOptionError(option, 'true or false', value)
}

type OtherCosts = Omit<HasherCosts, 'iterations'>

function readCosts(costs: OtherCosts, option: string): OtherCosts {
  const { argon2, bcrypt, scrypt, ...unknown } = costs
  for (const name of Object.keys(unknown)) {
    throw new InvalidOptionError(`${option}.${name}`, 'argon2, bcrypt or scrypt', name)
  }
  const checks: readonly [string, boolean, string][] = [
    [
      'argon2',
      isObject(argon2) && isArgon2Cost(argon2),
      '{ timeCost, memoryCost, parallelism } within RFC 9106 and 1 GiB',
    ],
    ['bcrypt', isObject(bcrypt) && isBcryptRounds(bcrypt.rounds), '{ rounds } from 4 to 16'],
    [
      'scrypt',
      isObject(scrypt) && isScryptCost(scrypt),
      '{ workFactor, blockSize, parallelism } within RFC 7914 and 32 MiB',
    ],
  ]
  for (const [name, isGood, expected] of checks) {
    if (!isGood)
      throw new InvalidOptionError(`${option}.${name}`, expected, { argon2, bcrypt, scrypt })
  }
  return { argon2, bcrypt, scrypt }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
