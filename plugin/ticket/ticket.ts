/** Tickets: the short-lived JWTs that open one socket each (RFC 7519; RFC 8725 for what is checked). */
import { type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import { SignJWT, jwtVerify } from 'jose'
import { type Keys, digest } from './keys.js'
import type { Account } from '../portal/portal.js'

/** What a ticket says; no name, no group, no password. */
export interface TicketClaims {
  /** `str(pk)`. */
  readonly sub: string
  /** The checker that vouches for the user: two checkers may know different users of one id. */
  readonly chk: string
  readonly jti: string
  /** Keyed digest of what the account depended on: it changes with the password and with `is_active`. */
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
  readonly lifetimeSeconds: number
  readonly issuer: string
  readonly audience: string
  readonly ledgerId: string
  readonly now: () => number
}

const TYPE = 'pb-ticket+jwt'
const CLAIMS = ['iss', 'aud', 'sub', 'chk', 'jti', 'ver', 'org', 'iid', 'iat', 'exp'] as const
/** No ticket of ours is near it; what is longer is not looked at. */
const MAX_LENGTH = 1024
/** Clocks of one machine; several may differ by so much. */
const CLOCK_TOLERANCE_SECONDS = 5

export class Tickets {
  readonly #options: TicketOptions

  constructor(options: TicketOptions) {
    this.#options = options
  }

  get lifetimeSeconds(): number {
    return this.#options.lifetimeSeconds
  }

  /** Mints a ticket for an account, for a page of `origin`; `jti` where the caller must know it. */
  async mint(account: Account, origin: string, jti: string = makeJti()): Promise<string> {
    const { keys, issuer, audience, lifetimeSeconds, ledgerId, now } = this.#options
    const [key] = keys.tickets
    const issuedAt = Math.floor(now()) / 1000
    const claims = { chk: account.checker, ver: this.bind(account), org: origin, iid: ledgerId }
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: TYPE, kid: key.kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(account.user.id)
      .setJti(jti)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSeconds)
      .sign(key.signing)
  }

  /**
   * Checks everything of a ticket that needs neither ledger nor database.
   *
   * @returns Its claims, or null: malformed, another algorithm, key, type, issuer, audience or ledger, expired, or from
   *   the future. The signature covers the claims and not the text: a ledger goes by `jti`.
   */
  async verify(ticket: string): Promise<TicketClaims | null> {
    const { issuer, audience, lifetimeSeconds, ledgerId, now } = this.#options
    if (ticket.length > MAX_LENGTH || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(ticket)) return null
    try {
      const { payload } = await jwtVerify(ticket, ({ kid }) => this.#signingKey(kid), {
        algorithms: ['HS256'],
        typ: TYPE,
        issuer,
        audience,
        requiredClaims: [...CLAIMS],
        maxTokenAge: lifetimeSeconds,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(now()),
      })
      const claims = payload as Record<string, unknown>
      const isText = ['sub', 'chk', 'jti', 'ver', 'org', 'iid', 'aud'].every(
        (name) => typeof claims[name] === 'string',
      )
      if (!isText || typeof claims['iat'] !== 'number' || typeof claims['exp'] !== 'number')
        return null
      if (claims['exp'] - claims['iat'] > lifetimeSeconds + 0.001 || claims['iid'] !== ledgerId)
        return null
      return claims as unknown as TicketClaims
    } catch {
      return null
    }
  }

  /** Whether the account is still what it was when the ticket was minted. */
  isBound(claims: TicketClaims, account: Account): boolean {
    const [told, found] = [Buffer.from(claims.ver), Buffer.from(this.bind(account))]
    return told.length === found.length && timingSafeEqual(told, found)
  }

  /** The keyed digest of what an account depends on. */
  bind({ checker, user, binding }: Account): string {
    const active = user.isActive ? '1' : '0'
    return digest(this.#options.keys.binding, [checker, user.id, binding, active], 16)
  }

  #signingKey(kid: unknown): KeyObject {
    const key = this.#options.keys.tickets.find((candidate) => candidate.kid === kid)
    if (key === undefined) throw new Error('a key that is not ours')
    return key.signing
  }
}

/** 128 bits: nobody guesses the one of a ticket that is out. */
export function makeJti(): string {
  return randomBytes(16).toString('base64url')
}
