/** Remembers which tickets were used. A ticket opens one socket; its second use is refused. */
export interface TicketLedger {
  /**
   * Known to one ledger: tickets of another process, or of before a restart, are not this one's to judge. One that several
   * processes share has one id, which it keeps.
   */
  readonly id: string
  /**
   * True the first time for a `jti`, also among all at the same moment; false ever after, until `untilMs` (since 1970).
   * Null: no room, try later. What it throws, or rejects with, is a 503, and is not logged.
   */
  use(jti: string, untilMs: number): boolean | null | Promise<boolean | null>
}

/** 30 s of tickets at 3,000 logins a second; about 15 MB when full. */
const MAX_ENTRIES = 100_000

/** A ledger in this process's memory: one process, and nothing after a restart. */
export class MemoryLedger implements TicketLedger {
  readonly id: string
  readonly #now: () => number
  readonly #used = new Map<string, number>()

  constructor(id: string, now: () => number) {
    this.id = id
    this.#now = now
  }

  use(jti: string, untilMs: number): boolean | null {
    if (this.#used.has(jti)) return false
    if (this.#used.size >= MAX_ENTRIES) this.#forgetExpired()
    if (this.#used.size >= MAX_ENTRIES) return null
    this.#used.set(jti, untilMs)
    // In order of use, which is nearly that of expiry: one look at the oldest keeps it small.
    const [oldest] = this.#used
    if (oldest !== undefined && oldest[1] < this.#now()) this.#used.delete(oldest[0])
    return true
  }

  #forgetExpired(): void {
    const now = this.#now()
    for (const [jti, until] of this.#used) if (until < now) this.#used.delete(jti)
  }
}
