/** How sure we are of one authority, such as Django's user table: since when it was not heard, and what that means. */
import type { FastifyBaseLogger } from 'fastify'
import { logError } from '../answers.js'
import { DatabaseUnavailableError } from '../django/index.js'
import { NO_AUTHORITY } from './endings.js'
import type { Entry } from './sessions.js'

/** All at once would come back all at once; a few need not wait for that long. */
const SPREAD_MS = 30_000
const SPREAD_MS_A_SESSION = 100
/** More than so many users are not deleted at one stroke: rather a replica, a schema or a filter is wrong. */
const PLAUSIBLY_GONE = 20

export class AuthorityWatch {
  readonly #name: string
  readonly #graceMs: number
  readonly #log: FastifyBaseLogger
  readonly #ending = new Map<Entry, NodeJS.Timeout>()
  #confirmedAt = performance.now()
  #isAway = false
  #wasEmpty = false

  constructor(name: string, graceMs: number, log: FastifyBaseLogger) {
    this.#name = name
    this.#graceMs = graceMs
    this.#log = log
  }

  /** Since its sessions were last confirmed. */
  get ageMs(): number {
    return performance.now() - this.#confirmedAt
  }

  /** All who depend on it have been looked at, or nobody does. */
  confirmed(): void {
    this.#confirmedAt = performance.now()
    for (const timer of this.#ending.values()) clearTimeout(timer)
    this.#ending.clear()
    if (this.#isAway)
      this.#log.info({ authority: this.#name }, 'perspective: the authority is back')
    this.#isAway = false
  }

  /** Whether an answer may be believed; one that knows nobody of many is asked for once more. */
  isPlausible(asked: number, found: number): boolean {
    const isEmpty = found === 0 && asked > PLAUSIBLY_GONE
    const isBelieved = !isEmpty || this.#wasEmpty
    this.#wasEmpty = isEmpty
    if (!isBelieved) {
      this.#log.warn(
        { authority: this.#name, users: asked },
        'perspective: the authority knows none of its users; asked once more before they lose their sessions',
      )
    }
    return isBelieved
  }

  /** It did not answer: its sessions stay for the time of grace, and then end one after the other. */
  missed(error: unknown, entries: readonly Entry[]): void {
    if (!this.#isAway) this.#warn(error)
    this.#isAway = true
    if (this.ageMs < this.#graceMs) return
    const waiting = entries.filter((entry) => !this.#ending.has(entry))
    if (this.#ending.size === 0 && waiting.length > 0) {
      this.#log.error(
        { authority: this.#name, sessions: waiting.length, awayMs: Math.round(this.ageMs) },
        'perspective: the authority is away too long; its sessions end',
      )
    }
    const spreadMs = Math.min(SPREAD_MS, waiting.length * SPREAD_MS_A_SESSION)
    for (const entry of waiting) {
      const timer = setTimeout(() => {
        this.#ending.delete(entry)
        entry.end(NO_AUTHORITY)
      }, Math.random() * spreadMs)
      timer.unref()
      this.#ending.set(entry, timer)
    }
  }

  #warn(error: unknown): void {
    const text = `perspective: the authority does not answer; its sessions stay for ${String(this.#graceMs / 1000)} s`
    if (error instanceof DatabaseUnavailableError) {
      this.#log.warn({ authority: this.#name, database: error.database }, text)
    } else {
      logError(this.#log, error, text, { authority: this.#name })
    }
  }

  /** Nothing more ends by it. */
  stop(): void {
    for (const timer of this.#ending.values()) clearTimeout(timer)
    this.#ending.clear()
  }
}
