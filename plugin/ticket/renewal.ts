/**
 * Renewal tokens: JWTs with which a page that has logged in gets the tickets of its reconnects, without a password. A page
 * keeps its token in its memory only.
 */
import { type Account, userKeyOf } from '../portal/portal.js'
import type { Binding } from './binding.js'
import { Families, type FamilyToken, type FamilyVerdict } from './families.js'
import type { Keys } from './keys.js'
import { type SigningKey, type TokenKind, readClaims, signClaims } from './signed-claims.js'
import { type Lineage, type TicketClaims, makeJti } from './ticket.js'

/** What a renewal token says. */
export interface RenewalClaims extends FamilyToken {
  readonly org: string
  readonly aut: number
  readonly exp: number
}

/** A token as a page is told of it; `id` is what it says when it keeps it. */
export interface ToldToken {
  readonly token: string
  readonly id: string
}

export interface RenewalOptions {
  readonly keys: Keys
  readonly binding: Binding
  readonly lifetimeSeconds: number
  /** How long after its login a page may come back. */
  readonly maxAgeSeconds: number
  readonly issuer: string
  /** That of the tickets; the tokens have one of their own. */
  readonly audience: string
  readonly now: () => number
}

/** Clocks that differ, twice over. */
const KEEP_MARGIN_SECONDS = 10
/** How often an open session gets a fresh token, unless tokens live so short that a third of it is less. */
const REFRESH_MS = 20 * 60_000

export class Renewals {
  /** The families of the tokens that are out. */
  readonly families: Families
  /** Milliseconds until an open session gets its next token. */
  readonly refreshMs: number
  readonly #options: RenewalOptions
  readonly #kind: TokenKind
  readonly #signing: SigningKey

  constructor(options: RenewalOptions) {
    const { keys, issuer, audience, lifetimeSeconds, now } = options
    this.#options = options
    this.#kind = {
      type: 'pb-renewal+jwt',
      issuer,
      audience: `${audience}/renew`,
      lifetimeSeconds,
      texts: ['sub', 'chk', 'ver', 'org', 'fam', 'jti'],
      numbers: ['aut'],
    }
    const [signing] = keys.renewing.values()
    if (signing === undefined) throw new Error('no key for renewal tokens')
    this.#signing = signing
    this.families = new Families(now, (lifetimeSeconds + KEEP_MARGIN_SECONDS) * 1000)
    this.refreshMs = Math.min(REFRESH_MS, (lifetimeSeconds * 1000) / 3)
  }

  /** A login begins a family: its first token, and the lineage of its first ticket. */
  async begin(account: Account, origin: string): Promise<{ token: string; lineage: Lineage }> {
    const { binding, now } = this.#options
    const lineage = { fam: makeJti(), rj: makeJti(), aut: Math.floor(now()) / 1000 }
    const claims = this.#claims(account, origin, lineage, lineage.rj)
    const token = await signClaims(this.#signing, this.#kind, { ...claims })
    this.families.begin({ ...claims, ver: binding.bind(account) })
    return { token, lineage }
  }

  /** Signs the token of an id that a session is going to tell its page; null where the login is too old for another. */
  async next(
    account: Account,
    origin: string,
    lineage: Omit<Lineage, 'rj'>,
    id: string,
  ): Promise<ToldToken | null> {
    const claims = this.#claims(account, origin, lineage, id)
    if (claims.exp <= claims.iat) return null
    return { token: await signClaims(this.#signing, this.#kind, { ...claims }), id }
  }

  /** Checks everything of a token that needs neither its family nor the database; null for whatever fault. */
  async verify(token: string): Promise<RenewalClaims | null> {
    const { keys, now } = this.#options
    const claims = await readClaims(token, keys.renewing, this.#kind, now())
    return claims as RenewalClaims | null
  }

  present(claims: RenewalClaims): FamilyVerdict {
    return this.families.present(claims)
  }

  /** Whether the account is still what it was when the family began. */
  isBound({ fam, ver }: RenewalClaims, account: Account): boolean {
    const known = this.families.versOf(fam)
    const vers = known.length === 0 ? [ver] : known
    return vers.some((one) => this.#options.binding.isBound(one, account))
  }

  /** Whether a ticket comes from the token that its page holds, or from none. */
  admits({ fam, rj, ...claims }: TicketClaims): boolean {
    return fam === '' || this.families.isCurrent({ ...claims, fam, jti: rj })
  }

  /** We write a user's password anew, and it is the same password: the families live on, whether the write succeeds or not. */
  rebind(before: Account, after: Account): void {
    const { binding } = this.#options
    this.families.rebind(
      userKeyOf(after.checker, after.user.id),
      (ver) => binding.isBound(ver, before),
      binding.bind(after),
    )
  }

  #claims(
    account: Account,
    org: string,
    { fam, aut }: Omit<Lineage, 'rj'>,
    jti: string,
  ): RenewalClaims {
    const { binding, lifetimeSeconds, maxAgeSeconds, now } = this.#options
    const iat = Math.floor(now()) / 1000
    return {
      sub: account.user.id,
      chk: account.checker,
      ver: this.families.versOf(fam).at(-1) ?? binding.bind(account),
      org,
      fam,
      jti,
      aut,
      iat,
      exp: Math.min(iat + lifetimeSeconds, aut + maxAgeSeconds),
    }
  }
}
