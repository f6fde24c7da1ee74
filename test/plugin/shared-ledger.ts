import type { TicketLedger } from 'fastify-perspective'

/** A ledger outside the apps that use it; `use` says what it answers where its own answer is `first`. */
export function sharedLedger(
  use: (first: boolean) => unknown = (first) => Promise.resolve(first),
): TicketLedger {
  const used = new Set<string>()
  return {
    id: 'shared',
    use(jti) {
      const first = !used.has(jti)
      used.add(jti)
      return use(first) as boolean
    },
  }
}
