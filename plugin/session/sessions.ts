import type { BrokerStats } from '../../broker/index.js'
import { type Authority, DJANGO, userKeyOf } from '../portal/portal.js'
import type { AnyAvatar, AvatarSession } from './avatar.js'
import { type Ending, OUSTED, REPLACED, kicked } from './endings.js'
import type { AddressKeys } from '../login/address.js'
import type { Beating } from './heartbeat.js'
import { Slots } from './slots.js'

/** How many sessions there may be at once; upgrades beyond are refused before they cost anything. */
export interface SessionLimits {
  /** Of one user, all pages and devices together. Default 20. Beyond it: 429. */
  readonly perUser: number
  /** In all, admissions under way counted. Default 10,000: about 250 MB. Beyond it: 503. */
  readonly total: number
  /** Of one address, admissions under way counted. Default 1000: many people may share one. Beyond it: 429. */
  readonly perAddress: number
  /**
   * What becomes of one more than `perUser`: `reject` (the default), or `replace-oldest`: it is let in, and the user's
   * oldest session ends with 4409 and its page has to log in anew.
   */
  readonly atLimit: 'reject' | 'replace-oldest'
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = Object.freeze({
  perUser: 20,
  total: 10_000,
  perAddress: 1000,
  atLimit: 'reject',
})

/** A session that is open, with the avatar that the realm has made. */
export type OpenAvatarSession = AvatarSession & {
  /** What the realm has made, attached. */
  readonly avatar: AnyAvatar
}

/** The sessions of one plugin: `app.perspective.sessions`. Iterates over those that are open. */
export interface Sessions extends Iterable<OpenAvatarSession> {
  /** Open sessions; admissions under way are not counted. */
  readonly count: number
  /** The open sessions of one user. `userId`: `user.id`; a number is taken as its text. `checker`: Django's unless said. */
  of(userId: string | number | bigint, checker?: string): OpenAvatarSession[]
  /**
   * Ends every session of a user at once, also those whose admission is under way, and makes the tickets that are out
   * worthless. The user can log in again: deactivate the user in Django first if that is not wanted.
   *
   * @param userId - `user.id`; a number is taken as its text.
   * @param reason - What the page sees in the close frame, and `detached` as its message.
   * @param checker - Whose user it is; Django's unless said.
   * @returns How many open sessions were ended.
   * @throws TypeError - `userId` is none.
   */
  disconnect(userId: string | number | bigint, reason?: string, checker?: string): number
}

/** One connection on its way to a session, or there. Entered before the first await of its admission. */
export interface Entry {
  /** The family of renewal tokens that its page holds one of; empty where it holds none. */
  readonly family: string
  /** Whether its socket has been upgraded. */
  readonly isUpgraded: boolean
  /** The session, once its avatar is attached. */
  readonly open: OpenAvatarSession | null
  /** Its signs of life; null while it has no socket. */
  readonly beating: Beating | null
  /** Whether the user's row has been read. */
  readonly isProven: boolean
  /** The Django session that it depends on; null for one that began with a password. */
  readonly sessionKey: string | null
  /** Whether it was admitted with this `bindingDigest`, or with what we have since made this of. */
  isBoundTo(digest: string): boolean
  /** We are about to change what it was admitted with: until that is done, and if it fails, the row has `from`; then `to`. */
  rebind(from: string, to: string): void
  /** Tells it what the user's row says now. */
  refreshed(authority: Authority): void
  /** Ends it wherever it stands. */
  end(ending: Ending): void
  /** What its broker holds; null while it has none. */
  readonly stats: BrokerStats | null
  /** Refuses further calls; those that run go on. */
  drain(): void
  /** Resolves when it has ended: the avatar detached, the socket closed. */
  over(): Promise<void>
}

/** Tickets live a minute at most; two are enough to remember who was disconnected. */
const REMEMBER_MS = 120_000

export class SessionRegistry implements Sessions {
  readonly #limits: SessionLimits
  readonly #slots: Slots
  readonly #now: () => number
  readonly #onDisconnect: ((userKey: string) => void) | null
  readonly #users = new Map<string, Set<Entry>>()
  readonly #disconnectedAt = new Map<string, number>()
  #count = 0

  /** `onDisconnect`: hears of a user who is disconnected; what could bring sessions back has to die with them. */
  constructor(
    limits: SessionLimits,
    now: () => number,
    onDisconnect: ((userKey: string) => void) | null = null,
  ) {
    this.#limits = limits
    this.#slots = new Slots(limits)
    this.#now = now
    this.#onDisconnect = onDisconnect
  }

  get count(): number {
    return this.#count
  }

  /** Connections that hold a slot: sessions and admissions under way. */
  get slots(): number {
    return this.#slots.taken
  }

  /**
   * Takes a slot, synchronously, so that many at once cannot pass a limit together.
   *
   * @returns Which limit refuses it; null where it has been taken.
   */
  takeSlot(address: AddressKeys): 'total' | 'address' | null {
    const refusal = this.#slots.wouldRefuse(address)
    if (refusal === null) this.#slots.take(address)
    return refusal
  }

  /** Takes a slot beyond the limits, for a connection that replaces another one: {@link hasFamily} says so. */
  takeSlotOver(address: AddressKeys): void {
    this.#slots.take(address)
  }

  /** Gives the slot back; once for each that was taken. */
  freeSlot(address: AddressKeys): void {
    this.#slots.free(address)
  }

  /** Enters a connection for a user; false where the user has as many as allowed. */
  enter(userKey: string, entry: Entry): boolean {
    if (this.#isUserFull(userKey, entry.family)) return false
    const entries = this.#users.get(userKey) ?? new Set()
    entries.add(entry)
    this.#users.set(userKey, entries)
    return true
  }

  /** Whether the page of a family has a connection, which a new one of it replaces. */
  hasFamily(userKey: string, family: string): boolean {
    const entries = [...(this.#users.get(userKey) ?? [])]
    return family !== '' && entries.some((entry) => entry.family === family)
  }

  /** Which limit a new connection would meet now; null for none. */
  wouldRefuse(
    userKey: string,
    family: string,
    address: AddressKeys,
  ): 'total' | 'address' | 'user' | null {
    if (this.hasFamily(userKey, family)) return null
    return this.#isUserFull(userKey, family) ? 'user' : this.#slots.wouldRefuse(address)
  }

  #isUserFull(userKey: string, family: string): boolean {
    const { perUser, atLimit } = this.#limits
    if (atLimit === 'replace-oldest') return false
    const count = this.#users.get(userKey)?.size ?? 0
    return count >= perUser && !this.hasFamily(userKey, family)
  }

  /**
   * Ends what a session that has just begun takes the place of: what came before it of the same page, lost or given up, and
   * what the user has too many of.
   */
  makeRoom(userKey: string, newcomer: Entry): void {
    const entries = [...(this.#users.get(userKey) ?? [])]
    const earlier = entries.slice(0, entries.indexOf(newcomer))
    for (const entry of earlier) {
      if (entry.family !== '' && entry.family === newcomer.family) entry.end(REPLACED)
    }
    const others = [...(this.#users.get(userKey) ?? [])].filter(
      (entry) => entry.isUpgraded && entry !== newcomer,
    )
    const excess = Math.max(0, others.length + 1 - this.#limits.perUser)
    for (const entry of others.slice(0, excess)) entry.end(OUSTED)
  }

  /** Ends the connections of one family, wherever they stand. */
  endFamily(userKey: string, family: string, ending: Ending): void {
    for (const entry of [...(this.#users.get(userKey) ?? [])]) {
      if (entry.family === family) entry.end(ending)
    }
  }

  /** Counts an entered connection as an open session. */
  opened(): void {
    this.#count += 1
  }

  /** Takes a connection out again. Idempotent. */
  leave(userKey: string, entry: Entry, wasOpen: boolean): void {
    const entries = this.#users.get(userKey)
    if (entries?.delete(entry) !== true) return
    if (entries.size === 0) this.#users.delete(userKey)
    if (wasOpen) this.#count -= 1
  }

  /** Whether a ticket of this time was minted before its user was disconnected. */
  isTooOld(userKey: string, issuedAtSeconds: number): boolean {
    const at = this.#disconnectedAt.get(userKey)
    return at !== undefined && issuedAtSeconds * 1000 <= at
  }

  *[Symbol.iterator](): Iterator<OpenAvatarSession> {
    for (const entries of [...this.#users.values()]) {
      for (const { open } of [...entries]) if (open !== null) yield open
    }
  }

  of(userId: string | number | bigint, checker: string = DJANGO): OpenAvatarSession[] {
    const entries = [...(this.#users.get(userKeyOf(checker, String(userId))) ?? [])]
    return entries.flatMap(({ open }) => (open === null ? [] : [open]))
  }

  disconnect(
    userId: string | number | bigint,
    reason: string = 'disconnected',
    checker: string = DJANGO,
  ): number {
    // From a row that was not found, say: that nobody was put out would not be noticed.
    if (!['string', 'number', 'bigint'].includes(typeof userId))
      throw new TypeError(`userId: expected user.id, got ${typeof userId}`)
    const userKey = userKeyOf(checker, String(userId))
    const now = this.#now()
    for (const [key, at] of this.#disconnectedAt) {
      if (at > now - REMEMBER_MS) break
      this.#disconnectedAt.delete(key)
    }
    this.#disconnectedAt.delete(userKey)
    this.#disconnectedAt.set(userKey, now)
    const ending = kicked(reason)
    this.#onDisconnect?.(userKey)
    let ended = 0
    for (const entry of [...(this.#users.get(userKey) ?? [])]) {
      if (entry.open !== null) ended += 1
      entry.end(ending)
    }
    return ended
  }

  /**
   * A password that we hash anew is the same password: sessions that were admitted with the old hash stay. To be said
   * before the write. Both digests by `bindingDigest`.
   */
  rebind(userKey: string, from: string, to: string): void {
    for (const entry of this.#users.get(userKey) ?? []) entry.rebind(from, to)
  }

  /** Whether a user has a session, or an admission under way. */
  isHere(userKey: string): boolean {
    return this.#users.has(userKey)
  }

  /** The connections of each user, admissions under way too; of `userKeys` alone where given. */
  *byUser(
    userKeys: Iterable<string> = this.#users.keys(),
  ): Generator<[string, ReadonlySet<Entry>]> {
    for (const userKey of userKeys) {
      const entries = this.#users.get(userKey)
      if (entries !== undefined) yield [userKey, entries]
    }
  }

  /** Those that have a socket. */
  *beating(): Generator<Beating, undefined> {
    for (const entries of this.#users.values()) {
      for (const { beating } of entries) if (beating !== null) yield beating
    }
  }

  /** Every connection, admissions under way too. */
  entries(): Entry[] {
    return [...this.#users.values()].flatMap((entries) => [...entries])
  }
}
