/** The option `sessions`: how many there may be, how long, and how they are watched. */
import { InvalidOptionError } from '../django/index.js'
import { readBoolean, readInteger, readNumber, refuseUnknown } from '../read-option.js'
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from './sessions.js'

export interface SessionOptions extends SessionLimits {
  /**
   * Seconds between two looks at what the users' rows say of those who have sessions; a tenth more or less. A user who is
   * gone, inactive or has another password loses all sessions then. 0.1 to 3600, default 10.
   */
  readonly revalidateSeconds: number
  /**
   * How long sessions go on while the database is away, in seconds; then all end with 4503. 0: at the first look that
   * fails. 0 to 86,400, default 300: a failover of a managed database takes one or two minutes.
   */
  readonly graceSeconds: number
  /**
   * How long a session may last from its login on, its reconnects included, in seconds; then it ends with 4410. A login is a
   * password, or a ticket for a Django session. 1 to 31,536,000, default 43,200: 12 hours.
   */
  readonly maxAgeSeconds: number
  /**
   * Seconds of silence after which a page is asked for a sign of life, and after which it hears one; a tenth more or less.
   * It has three fifths of it to answer. 0.1 to 3600, default 25: proxies cut what is silent for 30 or 60.
   */
  readonly heartbeatSeconds: number
  /**
   * Listens for what the trigger of `docs/revocation-trigger.sql` tells, so that users lose their sessions at once. Takes one
   * connection of its own, not of a pool, which must reach PostgreSQL itself: pgbouncer's transaction mode passes no
   * notifications. Default false.
   */
  readonly listen: boolean
}

const DEFAULTS: SessionOptions = Object.freeze({
  ...DEFAULT_SESSION_LIMITS,
  revalidateSeconds: 10,
  graceSeconds: 300,
  maxAgeSeconds: 43_200,
  heartbeatSeconds: 25,
  listen: false,
})

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID` */
export function readSessionOptions(given: unknown): SessionOptions {
  if (given === undefined) return DEFAULTS
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError('sessions', 'an object', given)
  }
  refuseUnknown('sessions.', given, new Set(Object.keys(DEFAULTS)))
  const options = given as Partial<Record<keyof SessionOptions, unknown>>
  const integer = (name: 'perUser' | 'total' | 'perAddress'): number =>
    readInteger(`sessions.${name}`, options[name] ?? DEFAULTS[name], 1, 1e9)
  const seconds = (name: keyof SessionOptions, least: number, most: number): number =>
    readNumber(`sessions.${name}`, options[name] ?? DEFAULTS[name], least, most)
  return Object.freeze({
    perUser: integer('perUser'),
    total: integer('total'),
    perAddress: integer('perAddress'),
    atLimit: readAtLimit(options.atLimit ?? DEFAULTS.atLimit),
    revalidateSeconds: seconds('revalidateSeconds', 0.1, 3600),
    graceSeconds: seconds('graceSeconds', 0, 86_400),
    maxAgeSeconds: seconds('maxAgeSeconds', 1, 31_536_000),
    heartbeatSeconds: seconds('heartbeatSeconds', 0.1, 3600),
    listen: readBoolean('sessions.listen', options.listen ?? DEFAULTS.listen),
  })
}

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID` */
function readAtLimit(value: unknown): SessionLimits['atLimit'] {
  if (value === 'reject' || value === 'replace-oldest') return value
  throw new InvalidOptionError('sessions.atLimit', '"reject" or "replace-oldest"', value)
}
