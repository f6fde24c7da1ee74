import { randomBytes } from 'node:crypto'
import { Binding } from './binding.js'
import { MemoryLedger, type TicketLedger } from './ledger.js'
import { Renewals } from './renewal.js'
import { Tickets } from './ticket.js'
import type { RenewalOption, ResolvedTickets } from './ticket-options.js'

/** What mints and checks the tokens of one plugin. */
export interface OpenTickets {
  readonly tickets: Tickets
  readonly ledger: TicketLedger
  /** Null where pages get no renewal tokens. */
  readonly renewals: Renewals | null
}

/** Makes it of the options; nothing of it needs an end. */
export function openTickets(
  options: ResolvedTickets,
  renewal: Required<RenewalOption> | null,
  now: () => number,
): OpenTickets {
  const { keys, issuer, audience, lifetimeSeconds } = options
  const binding = new Binding(keys.binding)
  const ledger = new MemoryLedger(randomBytes(9).toString('base64url'), now)
  const shared = { keys, binding, issuer, audience, now }
  return {
    tickets: new Tickets({ ...shared, lifetimeSeconds, ledgerId: ledger.id }),
    ledger,
    renewals: renewal === null ? null : new Renewals({ ...shared, ...renewal }),
  }
}
