/** Tickets: the short-lived JWTs that open one socket each. */
import { randomBytes } from 'node:crypto'
import type { Account } from '../portal/portal.js'
import type { Binding } from './binding.js'
import type { Keys } from './keys.js'
import { CLOCK_TOLERANCE_SECONDS, type TokenKind, readClaims, signClaims } from './signed-claims.js'

/** Where a ticket comes from: the login, and the renewal token that it was asked with. */
export interface Lineage {
  /** The family of renewal tokens that one login began; empty where it began none. */
  readonly fam: string
  /** `jti` of the renewal token; empty without one. */
  readonly rj: string
  /** When the password was shown, in seconds since 1970. */
  readonly aut: number
}

/** What a ticket says; no name, no group, no password. */
export interface TicketClaims extends Lineage {
  /** `str(pk)`. */
  readonly sub: string
  /** The checker that vouches for the user: two checkers may know different users of one id. */
  readonly chk: string
  readonly jti: string
  /** {@link Binding.bind} of the account. */
  readonly ver: string
  /** The page's origin; empty where the login came from no page. */
  readonly org: string
  /** The ledger that knows whether it was used. */
  readonly iid: string
  /** Seconds since 1970, with their thousandths: a user who was disconnected may log in again in the same second. */
  readonly iat: number
  readonly exp: number
}

export interface TicketOptions {
  readonly keys: Keys
  readonly binding: Binding
  readonly lifetimeSeconds: number
  readonly issuer: string
  readonly audience: string
  /** Null where another service mints, whose ledger is not shared: its tickets are judged by ours. */
  readonly ledgerId: string | null
  readonly now: () => number
}

export class Tickets {
  readonly #options: TicketOptions
  readonly #kind: TokenKind
  readonly #startedAt: number

  constructor(options: TicketOptions) {
    this.#options = options
    this.#startedAt = options.now() / 1000
    const { issuer, audience, lifetimeSeconds } = options
    const texts = ['sub', 'chk', 'jti', 'ver', 'org', 'iid', 'fam', 'rj']
    this.#kind = {
      type: 'pb-ticket+jwt',
      issuer,
      audience,
      lifetimeSeconds,
      texts,
      numbers: ['aut'],
    }
  }

  get lifetimeSeconds(): number {
    return this.#options.lifetimeSeconds
  }

  /**
   * Mints a ticket for an account, for a page of `origin`; `jti` where the caller must know it.
   *
   * `lineage`: of a ticket that comes from a renewal token; null for one that does not.
   */
  mint(
    account: Account,
    origin: string,
    jti: string = makeJti(),
    lineage: Lineage | null = null,
  ): Promise<string> {
    const { keys, binding, ledgerId, lifetimeSeconds, now } = this.#options
    if (keys.minting === null || ledgerId === null) throw new Error('no key that mints tickets')
    const iat = Math.floor(now()) / 1000
    return signClaims(keys.minting, this.#kind, {
      sub: account.user.id,
      chk: account.checker,
      jti,
      ver: binding.bind(account),
      org: origin,
      iid: ledgerId,
      fam: lineage?.fam ?? '',
      rj: lineage?.rj ?? '',
      aut: lineage?.aut ?? iat,
      iat,
      exp: iat + lifetimeSeconds,
    })
  }

  /**
   * Checks everything of a ticket that needs neither ledger nor database.
   *
   * @returns Its claims, or null for whatever fault. The signature covers the claims and not the text: a ledger goes by
   *   `jti`.
   */
  async verify(text: string): Promise<TicketClaims | null> {
    const { keys, ledgerId, now } = this.#options
    const claims = await readClaims(text, keys.admitting, this.#kind, now())
    if (claims === null) return null
    const ticket = claims as unknown as TicketClaims
    // Our ledger knows nothing of what was used before it began; and clocks may differ.
    const isOurs =
      ledgerId === null
        ? ticket.iat >= this.#startedAt + CLOCK_TOLERANCE_SECONDS
        : ticket.iid === ledgerId
    return isOurs ? ticket : null
  }

  /** How long ago its user has logged in, in ms. */
  ageMs({ aut }: TicketClaims): number {
    return this.#options.now() - aut * 1000
  }

  /** Whether the account is still what it was when the ticket was minted. */
  isBound(claims: TicketClaims, account: Account): boolean {
    return this.#options.binding.isBound(claims.ver, account)
  }
}

/** 128 bits: nobody guesses the one of a ticket that is out. */
export function makeJti(): string {
  return randomBytes(16).toString('base64url')
}
