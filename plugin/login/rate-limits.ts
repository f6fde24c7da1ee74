/**
 * Who may still try. Counted before anything costs something, by address, by account, and by both together; names
 * appear in no store, only keyed digests of them.
 */
import type { KeyObject } from 'node:crypto'
import type { CreateRateLimitOptions } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { SITE_FACTOR, addressKeys } from './address.js'
import { raceDeadline } from '../deadline.js'
import { digest } from '../ticket/keys.js'

/** How often something may be tried. */
export interface RateLimits {
  /** Logins of one address in a minute. Default 60. */
  readonly addressPerMinute: number
  /** Logins to one account from one address in five minutes. Default 10. */
  readonly accountPer5Minutes: number
  /**
   * Logins to one account from everywhere in an hour. Default 100; beyond it only addresses from which the account has
   * logged in before, so that strangers cannot lock its owner out.
   */
  readonly accountPerHour: number
  /**
   * Tickets for a session cookie of one address in a minute, given or refused. Default 300: they cost little, and all the
   * pages of an office come for one after a restart.
   */
  readonly ticketsPerMinute: number
  /** Refused upgrades of one address in a minute. Default 30; accepted ones are not counted. */
  readonly refusedUpgradesPerMinute: number
  /** Renewals of one page in a minute. Default 10. */
  readonly renewalsPerMinute: number
  /** Refused renewals of one address in a minute. Default 30; accepted ones are not counted. */
  readonly refusedRenewalsPerMinute: number
}

export const DEFAULT_RATE_LIMITS: RateLimits = Object.freeze({
  addressPerMinute: 60,
  accountPer5Minutes: 10,
  accountPerHour: 100,
  ticketsPerMinute: 300,
  refusedUpgradesPerMinute: 30,
  renewalsPerMinute: 10,
  refusedRenewalsPerMinute: 30,
})

/** Seconds to wait, or 0 where the try may go on. */
export type Verdict = number

type Limit = (key: string, request: FastifyRequest, count: boolean) => Promise<Verdict>
/** Of the address that a request comes from, and of its site. */
type AddressLimit = (request: FastifyRequest, count: boolean) => Promise<Verdict>

const MINUTE = 60_000
/** Keys of one limit in this process's own store: too few, and junk names would push a victim's count out. */
const MAX_KEYS = 100_000
/** How long a store may take; a login waits for three. */
const STORE_MS = 500
/** How long a store that failed is left alone. */
const STORE_PAUSE_MS = 10_000
/** Pairs of address and account that have logged in; the oldest are forgotten. */
const MAX_KNOWN = 10_000

export class RateLimiter {
  readonly #secret: KeyObject
  readonly #byAddress: AddressLimit
  readonly #byPair: Limit
  readonly #byAccount: Limit
  readonly #byChallenge: AddressLimit
  readonly #byTicket: AddressLimit
  readonly #byRefusal: AddressLimit
  readonly #byFamily: Limit
  readonly #byRefusedRenewal: AddressLimit
  readonly #known = new Set<string>()

  /** `scope` has `createRateLimit` of @fastify/rate-limit, the app's own (and its store) or ours. */
  constructor(scope: FastifyInstance, limits: RateLimits, secret: KeyObject) {
    this.#secret = secret
    const byAddress = (purpose: string, max: number): AddressLimit =>
      createAddressLimit(scope, max, (key) => digest(secret, [purpose, key, ''], 16))
    this.#byAddress = byAddress('address', limits.addressPerMinute)
    this.#byPair = createLimit(scope, limits.accountPer5Minutes, 5 * MINUTE)
    this.#byAccount = createLimit(scope, limits.accountPerHour, 60 * MINUTE)
    this.#byChallenge = byAddress('challenge', limits.addressPerMinute)
    this.#byTicket = byAddress('ticket', limits.ticketsPerMinute)
    this.#byRefusal = byAddress('refused', limits.refusedUpgradesPerMinute)
    this.#byFamily = createLimit(scope, limits.renewalsPerMinute, MINUTE)
    this.#byRefusedRenewal = byAddress('renewal', limits.refusedRenewalsPerMinute)
  }

  /** Counts a login of an address, whatever comes of it. */
  countAddress(request: FastifyRequest): Promise<Verdict> {
    return this.#byAddress(request, true)
  }

  /** Counts a request for a ticket of an address, whatever comes of it. */
  countTicket(request: FastifyRequest): Promise<Verdict> {
    return this.#byTicket(request, true)
  }

  /** Counts a request for a challenge of an address; a login's limit, for there is one before each. */
  countChallenge(request: FastifyRequest): Promise<Verdict> {
    return this.#byChallenge(request, true)
  }

  /** Counts a login to an account, whether there is one of that name or not. */
  async countAccount(request: FastifyRequest, account: string): Promise<Verdict> {
    const wait = await this.#byPair(this.#pairKey(request, account), request, true)
    if (wait > 0) return wait
    const waitForAll = await this.#byAccount(this.#accountKey(account), request, true)
    return this.#known.has(this.#pairKey(request, account)) ? 0 : waitForAll
  }

  /** Remembers that an account logs in from this address. */
  remember(request: FastifyRequest, account: string): void {
    const key = this.#pairKey(request, account)
    this.#known.delete(key)
    this.#known.add(key)
    const [oldest] = this.#known
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest)
  }

  /** Whether an address has had too many upgrades refused; counts nothing. */
  checkRefusals(request: FastifyRequest): Promise<Verdict> {
    return this.#byRefusal(request, false)
  }

  /** Counts a refused upgrade. */
  async countRefusal(request: FastifyRequest): Promise<void> {
    await this.#byRefusal(request, true)
  }

  /** Counts a renewal of a family. */
  countRenewal(request: FastifyRequest, family: string): Promise<Verdict> {
    return this.#byFamily(digest(this.#secret, ['family', family], 16), request, true)
  }

  /** Whether an address has had too many renewals refused; counts nothing. */
  checkRefusedRenewals(request: FastifyRequest): Promise<Verdict> {
    return this.#byRefusedRenewal(request, false)
  }

  /** Counts a refused renewal. */
  async countRefusedRenewal(request: FastifyRequest): Promise<void> {
    await this.#byRefusedRenewal(request, true)
  }

  #pairKey(request: FastifyRequest, account: string): string {
    return digest(this.#secret, ['pair', addressKeys(request).own, account], 16)
  }

  #accountKey(account: string): string {
    return digest(this.#secret, ['account', '', account], 16)
  }
}

/** In a minute: `max` of one address, of an IPv6 site's /48 four times as many. */
function createAddressLimit(
  scope: FastifyInstance,
  max: number,
  hide: (key: string) => string,
): AddressLimit {
  const ofOwn = createLimit(scope, max, MINUTE)
  const ofSite = createLimit(scope, max * SITE_FACTOR, MINUTE)
  return async (request, isCounted) => {
    const { own, site } = addressKeys(request)
    const wait = await ofOwn(hide(own), request, isCounted)
    if (wait > 0 || site === null) return wait
    return ofSite(hide(site), request, isCounted)
  }
}

/**
 * One limit over @fastify/rate-limit; every field is given, or it would be the host app's. Counted in this process too,
 * so that a store that fails, hangs or cannot `read` resets nothing: neither a way in for guesses nor a lock-out.
 */
function createLimit(scope: FastifyInstance, max: number, timeWindow: number): Limit {
  const keys = new WeakMap<FastifyRequest, string>()
  const options: CreateRateLimitOptions & Record<string, unknown> = {
    max,
    timeWindow,
    keyGenerator: (request) => keys.get(request) ?? '',
    allowList: [],
    cache: MAX_KEYS,
    ban: -1,
    skipOnError: false,
    continueExceeding: false,
    exponentialBackoff: false,
  }
  const count = scope.createRateLimit(options)
  const local = new LocalWindow(max, timeWindow)
  let pausedUntil = 0
  return async (key, request, isCounted) => {
    keys.set(request, key)
    const verdict = local.count(key, isCounted)
    if (performance.now() < pausedUntil) return verdict
    try {
      const result = await raceDeadline(
        count(request, { increment: isCounted }),
        STORE_MS,
        () => new Error('the store does not answer'),
      )
      if (result.isAllowed) return 0
      const isOver = isCounted ? result.isExceeded : result.remaining <= 0
      return isOver ? Math.max(1, result.ttlInSeconds) : 0
    } catch {
      pausedUntil = performance.now() + STORE_PAUSE_MS
      // The error may hold the store's address and password: not a word of it.
      scope.log.warn('perspective: the rate-limit store fails; this process counts by itself')
      return verdict
    }
  }
}

/** Counts in this process, in windows of fixed length; the oldest keys are forgotten. */
class LocalWindow {
  readonly #max: number
  readonly #windowMs: number
  readonly #counts = new Map<string, { count: number; readonly startedAt: number }>()

  constructor(max: number, windowMs: number) {
    this.#max = max
    this.#windowMs = windowMs
  }

  count(key: string, isCounted: boolean): Verdict {
    const now = performance.now()
    let entry = this.#counts.get(key)
    if (entry === undefined || now - entry.startedAt >= this.#windowMs) {
      if (!isCounted) return 0
      entry = { count: 0, startedAt: now }
      this.#counts.delete(key)
      this.#counts.set(key, entry)
      const [oldest] = this.#counts.keys()
      if (this.#counts.size > MAX_KEYS && oldest !== undefined) this.#counts.delete(oldest)
    }
    if (isCounted) entry.count += 1
    const isOver = isCounted ? entry.count > this.#max : entry.count >= this.#max
    return isOver ? Math.max(1, Math.ceil((entry.startedAt + this.#windowMs - now) / 1000)) : 0
  }
}
