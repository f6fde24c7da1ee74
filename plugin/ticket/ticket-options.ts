/** The options of tickets and of their renewal, checked and filled in. */
import { InvalidOptionError } from '../django/index.js'
import { readInteger, readText, refuseUnknown } from '../read-option.js'
import { type Keys, readSecrets } from './keys.js'

export interface TicketOption {
  /**
   * Signs tickets (HS256): at least 32 bytes of your own, not Django's SECRET_KEY. Several: the first signs, all are
   * accepted, so that a secret can be changed while tickets of the old one are out.
   */
  readonly secret: string | readonly string[] | undefined
  /** How long a ticket may be used, in seconds: 1 to 60, default 30. */
  readonly lifetimeSeconds?: number
  /** Claim `iss`; default `fastify-perspective`. */
  readonly issuer?: string
  /** Claim `aud`; default `perspective:<prefix>`. Staging and production must differ where they share a secret. */
  readonly audience?: string
}

/** How a page that lost its connection comes back without a password. */
export interface RenewalOption {
  /**
   * How long a page may be away, in seconds: 1 to 86,400, default 3600. What is known of stolen tokens is forgotten at a
   * restart, so a longer one is a longer risk.
   */
  readonly lifetimeSeconds?: number
  /** How long after its password a page may come back, in seconds: 1 to 31,536,000, default 43,200, which is 12 hours. */
  readonly maxSessionAgeSeconds?: number
}

export interface ResolvedTickets {
  readonly keys: Keys
  readonly lifetimeSeconds: number
  readonly issuer: string
  readonly audience: string
}

const TICKET_NAMES: ReadonlySet<string> = new Set([
  'secret',
  'lifetimeSeconds',
  'issuer',
  'audience',
])
const RENEWAL_NAMES: ReadonlySet<string> = new Set(['lifetimeSeconds', 'maxSessionAgeSeconds'])

/**
 * Reads the option `ticket`; `prefix` is that of the routes.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`
 */
export function readTicketOption(
  ticket: Partial<TicketOption> | undefined,
  prefix: string,
): ResolvedTickets {
  if (typeof ticket !== 'object' || ticket === null) {
    throw new InvalidOptionError('ticket', '{ secret: … }', ticket)
  }
  refuseUnknown('ticket.', ticket, TICKET_NAMES)
  const { secret, lifetimeSeconds = 30, issuer = 'fastify-perspective' } = ticket
  return {
    keys: readSecrets(secret),
    lifetimeSeconds: readInteger('ticket.lifetimeSeconds', lifetimeSeconds, 1, 60),
    issuer: readText('ticket.issuer', issuer),
    audience: readText('ticket.audience', ticket.audience ?? `perspective:${prefix || '/'}`),
  }
}

/**
 * Reads the option `renewal`; null where pages get no renewal tokens.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`
 */
export function readRenewalOption(
  renewal: RenewalOption | false | undefined,
): Required<RenewalOption> | null {
  if (renewal === false) return null
  const given: unknown = renewal ?? {}
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError('renewal', '{ lifetimeSeconds: … }, or false', given)
  }
  refuseUnknown('renewal.', given, RENEWAL_NAMES)
  const { lifetimeSeconds = 3600, maxSessionAgeSeconds = 43_200 } = given as RenewalOption
  return {
    lifetimeSeconds: readInteger('renewal.lifetimeSeconds', lifetimeSeconds, 1, 86_400),
    maxSessionAgeSeconds: readInteger(
      'renewal.maxSessionAgeSeconds',
      maxSessionAgeSeconds,
      1,
      31_536_000,
    ),
  }
}
