import { InvalidOptionError } from '../django/index.js'
import { readInteger, refuseUnknown } from '../read-option.js'
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from './sessions.js'

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID` */
export function readSessionLimits(given: unknown): SessionLimits {
  if (given === undefined) return DEFAULT_SESSION_LIMITS
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError('sessions', 'an object', given)
  }
  refuseUnknown('sessions.', given, new Set(Object.keys(DEFAULT_SESSION_LIMITS)))
  const options = given as Partial<Record<keyof SessionLimits, unknown>>
  const { perUser, total, perAddress, atLimit } = DEFAULT_SESSION_LIMITS
  return Object.freeze({
    perUser: readInteger('sessions.perUser', options.perUser ?? perUser, 1, 1e9),
    total: readInteger('sessions.total', options.total ?? total, 1, 1e9),
    perAddress: readInteger('sessions.perAddress', options.perAddress ?? perAddress, 1, 1e9),
    atLimit: readAtLimit(options.atLimit ?? atLimit),
  })
}

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID` */
export function readAtLimit(value: unknown): SessionLimits['atLimit'] {
  if (value === 'reject' || value === 'replace-oldest') return value
  throw new InvalidOptionError('sessions.atLimit', '"reject" or "replace-oldest"', value)
}
