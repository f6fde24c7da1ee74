/** The options of tickets and of their renewal, checked and filled in. */
import { InvalidOptionError } from '../django/index.js'
import { readInteger, readText, refuseUnknown } from '../read-option.js'
import { type TicketKey, readKeyList } from './key-options.js'
import { type Keys, readSecrets } from './keys.js'
import type { TicketLedger } from './ledger.js'

/** How tickets are signed, and for how long they are good. */
export interface TicketOption {
  /**
   * Signs tickets (HS256): at least 32 bytes of your own, not Django's SECRET_KEY. Several: the first signs, all are
   * accepted, so that a secret can be changed while tickets of the old one are out.
   */
  readonly secret?: string | readonly string[] | undefined
  /**
   * Instead of `secret`: keys with names, symmetric ones or pairs, so that one service can mint and another admit. Who
   * has no key that mints has neither `/login` nor `/renew`, and its sessions get no renewal tokens. To change keys: add the
   * new one everywhere as `admit`, then make it `mint`, and take the old one out when the longest renewal is over.
   */
  readonly keys?: readonly TicketKey[]
  /**
   * Binds tickets to what the user's row says, and signs renewal tokens: at least 32 bytes, the same in all services. Needed
   * where `keys` has pairs.
   */
  readonly bindingSecret?: string | undefined
  /**
   * Knows which tickets were used; one of several processes is shared by them. Default: in this process's memory. A ticket
   * opens one socket for each ledger: share it where both the service that mints and another one admit.
   */
  readonly ledger?: TicketLedger
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
}

export interface ResolvedTickets {
  readonly keys: Keys
  /** Null: one in this process's memory. */
  readonly ledger: TicketLedger | null
  readonly lifetimeSeconds: number
  readonly issuer: string
  readonly audience: string
}

const TICKET_NAMES: ReadonlySet<string> = new Set([
  ...['secret', 'keys', 'bindingSecret', 'ledger'],
  'lifetimeSeconds',
  'issuer',
  'audience',
])
const RENEWAL_NAMES: ReadonlySet<string> = new Set(['lifetimeSeconds'])

/**
 * Reads the option `ticket`; `prefix` is that of the routes, `djangoKeys` Django's SECRET_KEYs where they are known.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`
 */
export function readTicketOption(
  ticket: Partial<TicketOption> | undefined,
  prefix: string,
  djangoKeys: unknown,
): ResolvedTickets {
  if (typeof ticket !== 'object' || ticket === null) {
    throw new InvalidOptionError('ticket', '{ secret: … }', ticket)
  }
  refuseUnknown('ticket.', ticket, TICKET_NAMES)
  refuseDjangoKeys(ticket, djangoKeys)
  const { lifetimeSeconds = 30, issuer = 'fastify-perspective' } = ticket
  return {
    keys: readKeys(ticket),
    ledger: readLedger(ticket.ledger),
    lifetimeSeconds: readInteger('ticket.lifetimeSeconds', lifetimeSeconds, 1, 60),
    issuer: readText('ticket.issuer', issuer),
    audience: readText('ticket.audience', ticket.audience ?? `perspective:${prefix || '/'}`),
  }
}

function readKeys({ secret, keys, bindingSecret }: Partial<TicketOption>): Keys {
  if (keys !== undefined) {
    if (secret === undefined) return readKeyList(keys, bindingSecret)
    throw new InvalidOptionError('ticket.secret', 'either secret or keys', secret, 'both')
  }
  if (bindingSecret === undefined) return readSecrets(secret)
  throw new InvalidOptionError('ticket.bindingSecret', 'ticket.keys beside it', bindingSecret)
}

function readLedger(ledger: unknown): TicketLedger | null {
  if (ledger === undefined) return null
  const { id, use } = (ledger ?? {}) as Partial<TicketLedger>
  if (typeof id === 'string' && id !== '' && typeof use === 'function') {
    return ledger as TicketLedger
  }
  throw new InvalidOptionError('ticket.ledger', '{ id: a text, use: a function }', ledger)
}

/** Whoever has Django's key can make Django's sessions; whoever has a ticket's must not be able to. */
function refuseDjangoKeys(
  { secret, keys, bindingSecret }: Partial<TicketOption>,
  djangoKeys: unknown,
): void {
  if (!Array.isArray(djangoKeys)) return
  const secrets: unknown[] = Array.isArray(secret) ? secret : [secret]
  const named = Array.isArray(keys) ? (keys as (Partial<TicketKey> | null)[]) : []
  const all: [string, unknown][] = [
    ...secrets.map((text): [string, unknown] => ['ticket.secret', text]),
    ...named.map((key, index): [string, unknown] => [
      `ticket.keys[${String(index)}].secret`,
      key?.secret,
    ]),
    ['ticket.bindingSecret', bindingSecret],
  ]
  for (const [option, text] of all) {
    if (typeof text === 'string' && djangoKeys.includes(text)) {
      throw new InvalidOptionError(option, 'a secret of its own', text, "Django's SECRET_KEY")
    }
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
  const { lifetimeSeconds = 3600 } = given as RenewalOption
  return { lifetimeSeconds: readInteger('renewal.lifetimeSeconds', lifetimeSeconds, 1, 86_400) }
}
