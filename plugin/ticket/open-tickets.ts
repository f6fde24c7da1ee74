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
  /** Whether there is a key that mints: without one nobody logs in here. */
  readonly mints: boolean
  /** Null where pages get no renewal tokens. */
  readonly renewals: Renewals | null
}

/** Makes it of the options; nothing of it needs an end. `maxAgeSeconds`: of a session, from its login on. */
export function openTickets(
  options: ResolvedTickets,
  renewal: Required<RenewalOption> | null,
  maxAgeSeconds: number,
  now: () => number,
): OpenTickets {
  const { keys, issuer, audience, lifetimeSeconds } = options
  const binding = new Binding(keys.binding)
  const { minting } = keys
  const ledger = options.ledger ?? new MemoryLedger(randomBytes(9).toString('base64url'), now)
  const isForeign = minting === null && options.ledger === null
  const shared = { keys, binding, issuer, audience, now }
  return {
    tickets: new Tickets({ ...shared, lifetimeSeconds, ledgerId: isForeign ? null : ledger.id }),
    ledger,
    mints: minting !== null,
    // Who only admits has no route where they would be shown.
    renewals:
      renewal === null || minting === null
        ? null
        : new Renewals({ ...shared, ...renewal, maxAgeSeconds }),
  }
}
