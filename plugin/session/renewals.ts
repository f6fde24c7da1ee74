/** The renewal tokens of one open session: the first goes with the hello, the next ones by notice. */
import type { FastifyBaseLogger } from 'fastify'
import { logError } from '../answers.js'
import type { Account } from '../portal/portal.js'
import type { Renewals, ToldToken } from '../ticket/renewal.js'
import { type Lineage, makeJti } from '../ticket/ticket.js'
import type { DetachReason } from './avatar.js'
import { OUSTED } from './endings.js'

/** The first token goes with the hello, and is not kept: a session lives for hours. */
export interface PreparedRenewals {
  readonly first: ToldToken
  readonly renewals: SessionRenewals
}

export class SessionRenewals {
  readonly #renewals: Renewals
  readonly #account: Account
  readonly #origin: string
  readonly #lineage: Lineage
  #id: string
  #isKept = false
  #timer: NodeJS.Timeout | undefined

  /** Signs the first token; null where the session gets none. Changes nothing of the family yet. */
  static async prepare(
    renewals: Renewals | null,
    account: Account,
    origin: string,
    lineage: Lineage,
  ): Promise<PreparedRenewals | null> {
    if (renewals === null || lineage.fam === '') return null
    const first = await renewals.next(account, origin, lineage, makeJti())
    if (first === null) return null
    return { first, renewals: new SessionRenewals(renewals, account, origin, lineage, first.id) }
  }

  private constructor(
    renewals: Renewals,
    account: Account,
    origin: string,
    lineage: Lineage,
    id: string,
  ) {
    this.#renewals = renewals
    this.#account = account
    this.#origin = origin
    // Not the ticket's claims, which come here as one.
    this.#lineage = { fam: lineage.fam, rj: lineage.rj, aut: lineage.aut }
    this.#id = id
  }

  /** The session is there: the first token is told, and `tell` tells the next ones until {@link stop}. */
  start(tell: (renewal: ToldToken) => void, log: FastifyBaseLogger): void {
    this.#renewals.families.offer(this.#lineage.fam, this.#id)
    this.#timer = setInterval(() => {
      this.#refresh(tell).catch((error: unknown) => {
        logError(log, error, 'perspective: no fresh renewal token')
      })
    }, this.#renewals.refreshMs)
    this.#timer.unref()
  }

  /** The page says that it keeps a token. */
  kept(id: string): void {
    if (id === this.#id) this.#isKept = true
    this.#renewals.families.kept(this.#lineage.fam, id)
  }

  /** The session has ended; where the page is not to come back, its family ends too. Idempotent. */
  stop(reason: DetachReason): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    const { code } = reason
    const isForGood = code === 'logout' || code === 'kicked' || reason === OUSTED.reason
    if (isForGood) this.#renewals.families.revoke(this.#lineage.fam)
  }

  async #refresh(tell: (renewal: ToldToken) => void): Promise<void> {
    // One that the page has not confirmed is told again under its id: the page may have either, and both must be good.
    const id = this.#isKept ? makeJti() : this.#id
    const next = await this.#renewals.next(this.#account, this.#origin, this.#lineage, id)
    if (next === null || this.#timer === undefined) return
    if (id !== this.#id) this.#isKept = false
    this.#id = id
    this.#renewals.families.offer(this.#lineage.fam, id)
    tell(next)
  }
}
