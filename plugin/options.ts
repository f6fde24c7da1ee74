/** The options of the plugin, checked and filled in once, before anything is registered. */
import { readCopies } from '../broker/copyable.js'
import { type CopyableClass, DEFAULT_LIMITS, type Limits } from '../broker/index.js'
import {
  type Database,
  type HasherName,
  InvalidOptionError,
  type PasswordCosts,
  type PasswordSettings,
  requireHashers,
  resolvePasswordSettings,
  type UserModel,
  type UserModelOption,
} from './django/index.js'
import {
  LOGIN_OPTION_NAMES,
  type LoginOptions,
  readLoginOptions,
  type ResolvedLoginOptions,
} from './login/login-options.js'
import { DEFAULT_RATE_LIMITS, type RateLimits } from './login/rate-limits.js'
import { readOrigins } from './origins.js'
import { ANONYMOUS } from './portal/anonymous-checker.js'
import { type Checker, DJANGO } from './portal/portal.js'
import { readInteger, refuseUnknown } from './read-option.js'
import type { Realm } from './session/avatar.js'
import { type SessionOptions, readSessionOptions } from './session/session-options.js'
import {
  type RenewalOption,
  type ResolvedTickets,
  type TicketOption,
  readRenewalOption,
  readTicketOption,
} from './ticket/ticket-options.js'
import { readWaysIn, type ResolvedWaysIn, WAYS_IN_NAMES, type WaysIn } from './ways-in.js'

/** What `app.register(perspective, …)` takes. */
export type PerspectiveOptions = UserModelOption &
  WaysIn &
  LoginOptions & {
    /** Where the routes are: `<prefix>/login`, `/socket`, `/client.js`. Default: the root. */
    readonly prefix?: string
    /** Connection string, or the `pg` Pool or pg-promise database that the app already has; that one stays the app's. */
    readonly database: string | Database | undefined
    readonly ticket: TicketOption
    /** Tokens with which pages come back without a password. Default: an hour's, for 12 hours. False: none. */
    readonly renewal?: RenewalOption | false
    /** The origins whose pages may log in, each exact: `https://www.example.com`. No pattern, no `*`. */
    readonly allowedOrigins: readonly string[]
    /** Makes the avatar of a session; may be async, and has 10 seconds. Throw `LoginDeniedError` to refuse. */
    readonly realm: Realm
    /** Further ways to log in; each takes credentials of its own types. */
    readonly checkers?: readonly Checker[]
    /**
     * The site's PASSWORD_HASHERS by their `algorithm`, the preferred one first; a password of another one is refused, as
     * by Django. Default: those of Django 5.2. `'all'`: every hasher there is.
     */
    readonly hashers?: readonly HasherName[] | 'all'
    /**
     * Iterations that a login costs where there is no usable hash to say so, as for an unknown user: those of the site's
     * Django. Default 1,000,000 (Django 5.2); 4.2 has 600,000.
     */
    readonly passwordIterations?: number
    /** The same for the other hashers, where the site's classes are not Django's own. */
    readonly passwordCosts?: PasswordCosts
    /** Whether plain `bcrypt` ignores what is beyond 72 bytes of a password; default false: refuses it. */
    readonly bcryptTruncate?: boolean
    readonly sessions?: Partial<SessionOptions>
    readonly rateLimits?: Partial<RateLimits>
    /** The quotas of each session; see `DEFAULT_LIMITS`. Of a page 10,000 calls in a second are taken. */
    readonly limits?: Partial<Limits>
    /** The classes whose instances cross as copies; the page names the same. */
    readonly copyables?: readonly CopyableClass[]
    /** Milliseconds until a call of the server's rejects with `PB_ERR_CALL_TIMEOUT`, unless `withOptions` says otherwise. Default 0: never. */
    readonly callTimeoutMs?: number
  }

export interface ResolvedOptions {
  readonly prefix: string
  readonly database: string | Database
  readonly users: UserModel
  readonly tickets: ResolvedTickets
  readonly renewal: Required<RenewalOption> | null
  readonly origins: ReadonlySet<string>
  readonly realm: Realm
  readonly checkers: readonly Checker[]
  readonly waysIn: ResolvedWaysIn
  readonly passwords: PasswordSettings
  readonly login: ResolvedLoginOptions
  readonly sessions: SessionOptions
  readonly rateLimits: RateLimits
  readonly limits: Limits
  readonly copyables: readonly CopyableClass[]
  readonly callTimeoutMs: number
}

/** A person's page makes some calls; ten thousand in a second are a loop gone wild, or an attack. */
const PAGE_LIMITS: Limits = Object.freeze({ ...DEFAULT_LIMITS, maxCallsPerSecond: 10_000 })

const NAMES: ReadonlySet<string> = new Set([
  ...['prefix', 'database', 'users', 'ticket', 'renewal', 'allowedOrigins', 'realm', 'checkers'],
  ...['hashers', 'passwordIterations', 'passwordCosts', 'bcryptTruncate'],
  ...WAYS_IN_NAMES,
  ...LOGIN_OPTION_NAMES,
  ...['sessions', 'rateLimits', 'limits', 'copyables', 'callTimeoutMs'],
  // Fastify's own, which it hands on to every plugin.
  ...['logLevel', 'logSerializers'],
])
/**
 * Checks the options and fills in the defaults.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID` - names the option, what was expected and what came; never a secret.
 * @throws HasherMissingError `PB_ERR_LOGIN_HASHER`
 */
export function resolveOptions(options: PerspectiveOptions): ResolvedOptions {
  refuseUnknown('', options, NAMES)
  const { ticket, realm, database } = options as Partial<PerspectiveOptions>
  const prefix = readPrefix(options.prefix)
  if (database === undefined) {
    throw new InvalidOptionError(
      'database',
      'a connection string (is DATABASE_URL set?), a pg Pool or a pg-promise database',
      database,
    )
  }
  if (typeof realm !== 'function') {
    throw new InvalidOptionError('realm', 'a function: (session) => new YourAvatar(session)', realm)
  }
  const passwords = readPasswords(options)
  return Object.freeze({
    prefix,
    database,
    users: options.users ?? {},
    tickets: readTicketOption(ticket, prefix, djangoKeysOf(options)),
    renewal: readRenewalOption(options.renewal),
    origins: readOrigins(options.allowedOrigins),
    realm,
    checkers: readCheckers(options.checkers ?? []),
    waysIn: readWaysIn(options, ticket?.secret),
    passwords,
    login: readLoginOptions(options, passwords),
    sessions: readSessionOptions(options.sessions),
    rateLimits: readCounts('rateLimits', options.rateLimits, DEFAULT_RATE_LIMITS),
    limits: readCounts('limits', options.limits, PAGE_LIMITS),
    copyables: readCopyables(options.copyables ?? []),
    callTimeoutMs: readInteger('callTimeoutMs', options.callTimeoutMs ?? 0, 0, 2 ** 31 - 1),
  })
}

function djangoKeysOf(options: object): unknown {
  const { djangoSessions } = options as { djangoSessions?: { secretKeys?: unknown } | null }
  return djangoSessions?.secretKeys
}

function readPasswords(options: PerspectiveOptions): PasswordSettings {
  const { hashers, passwordIterations, passwordCosts, bcryptTruncate } = options
  const settings: PasswordSettings = {
    iterations: readInteger('passwordIterations', passwordIterations ?? 1_000_000, 1, 10_000_000),
    ...(hashers !== undefined && { hashers }),
    ...(passwordCosts !== undefined && { costs: passwordCosts }),
    ...(bcryptTruncate !== undefined && { bcryptTruncate }),
  }
  resolvePasswordSettings(settings, { iterations: 'passwordIterations', costs: 'passwordCosts' })
  // The default may name what no user of the site has.
  if (Array.isArray(hashers)) requireHashers(hashers)
  return settings
}

function readPrefix(prefix: unknown): string {
  const expected = 'a path that begins with a slash, such as "/perspective"'
  if (prefix === undefined) return ''
  if (typeof prefix !== 'string') throw new InvalidOptionError('prefix', expected, prefix)
  const bare = prefix.replace(/\/+$/, '')
  // A parameter in it would make one audience of many routes.
  if (bare !== '' && !/^(\/[\w.~-]+)+$/.test(bare)) {
    throw new InvalidOptionError('prefix', expected, prefix, JSON.stringify(prefix))
  }
  return bare
}

function readCheckers(checkers: unknown): readonly Checker[] {
  if (!Array.isArray(checkers))
    throw new InvalidOptionError('checkers', 'a list of checkers', checkers)
  const names = new Set([DJANGO, ANONYMOUS])
  const types = new Set(['password', 'hashed-password', ANONYMOUS])
  for (const [index, checker] of (checkers as Partial<Checker>[]).entries()) {
    const option = `checkers[${String(index)}]`
    if (typeof checker !== 'object' || checker === null) {
      throw new InvalidOptionError(option, 'an object with name, types, check and load', checker)
    }
    const { name, types: ownTypes } = checker
    if (typeof name !== 'string' || name === '' || name.includes(':') || names.has(name)) {
      throw new InvalidOptionError(`${option}.name`, 'a name of its own, without ":"', name)
    }
    names.add(name)
    if (!Array.isArray(ownTypes) || ownTypes.length === 0) {
      throw new InvalidOptionError(`${option}.types`, 'a list of types of credentials', ownTypes)
    }
    for (const type of ownTypes as unknown[]) {
      if (typeof type !== 'string' || type === '' || types.has(type)) {
        throw new InvalidOptionError(`${option}.types`, 'types that no other checker has', type)
      }
      types.add(type)
    }
    for (const method of ['check', 'load', 'accountName', 'permissionsOf', 'revalidate'] as const) {
      const isOptional = method !== 'check' && method !== 'load'
      if (typeof checker[method] === 'function' || (isOptional && checker[method] === undefined))
        continue
      throw new InvalidOptionError(`${option}.${method}`, 'a function', checker[method])
    }
  }
  return checkers as Checker[]
}

function readCopyables(copyables: unknown): readonly CopyableClass[] {
  if (!Array.isArray(copyables)) {
    throw new InvalidOptionError('copyables', 'a list of Copyable classes', copyables)
  }
  // Reads each class; what is wrong with one is said at register, not at the first session.
  readCopies(copyables as CopyableClass[])
  return copyables as CopyableClass[]
}

function readCounts<T extends object>(option: string, given: unknown, defaults: T): T {
  if (given === undefined) return defaults
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError(option, 'an object', given)
  }
  refuseUnknown(`${option}.`, given, new Set(Object.keys(defaults)))
  const resolved: Record<string, unknown> = Object.fromEntries(Object.entries(defaults))
  for (const [name, value] of Object.entries(given as Record<string, unknown>)) {
    if (value !== undefined) resolved[name] = readInteger(`${option}.${name}`, value, 1, 1e9)
  }
  return Object.freeze(resolved) as T
}
