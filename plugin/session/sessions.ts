import { DJANGO, userKeyOf } from '../portal/portal.js'
import type { AnyAvatar, AvatarSession } from './avatar.js'
import { type Ending, kicked } from './endings.js'

/** How many sessions there may be at once; upgrades beyond are refused before they cost anything. */
export interface SessionLimits {
  /** Of one user, all pages and devices together. Default 20. Beyond it: 429. */
  readonly perUser: number
  /** In all, admissions under way counted. Default 10,000: about 250 MB. Beyond it: 503. */
  readonly total: number
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = Object.freeze({ perUser: 20, total: 10_000 })

/** A session that is open, with the avatar that the realm has made. */
export type OpenAvatarSession = AvatarSession & { readonly avatar: AnyAvatar }

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
   * @returns How many open sessions were ended.
   */
  disconnect(userId: string | number | bigint, reason?: string, checker?: string): number
}

/** One connection on its way to a session, or there. Entered before the first await of its admission. */
export interface Entry {
  /** The session, once its avatar is attached. */
  readonly open: OpenAvatarSession | null
  /** Ends it wherever it stands. */
  end(ending: Ending): void
  /** Ends it because the server does; resolves when it has ended. */
  shutdown(): Promise<void>
}

/** Tickets live a minute at most; two are enough to remember who was disconnected. */
const REMEMBER_MS = 120_000

export class SessionRegistry implements Sessions {
  readonly #limits: SessionLimits
  readonly #now: () => number
  readonly #users = new Map<string, Set<Entry>>()
  readonly #disconnectedAt = new Map<string, number>()
  #slots = 0
  #count = 0

  constructor(limits: SessionLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  get count(): number {
    return this.#count
  }

  /** Connections that hold a slot: sessions and admissions under way. */
  get slots(): number {
    return this.#slots
  }

  /** Takes one of the slots in all; synchronously, so that many at once cannot pass a limit together. */
  takeSlot(): boolean {
    if (this.#slots >= this.#limits.total) return false
    this.#slots += 1
    return true
  }

  /** Gives the slot back; once for each that was taken. */
  freeSlot(): void {
    this.#slots -= 1
  }

  /** Enters a connection for a user; false where the user has as many as allowed. */
  enter(userKey: string, entry: Entry): boolean {
    const entries = this.#users.get(userKey) ?? new Set()
    if (entries.size >= this.#limits.perUser) return false
    entries.add(entry)
    this.#users.set(userKey, entries)
    return true
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
    const userKey = userKeyOf(checker, String(userId))
    const now = this.#now()
    for (const [key, at] of this.#disconnectedAt) {
      if (at > now - REMEMBER_MS) break
      this.#disconnectedAt.delete(key)
    }
    this.#disconnectedAt.delete(userKey)
    this.#disconnectedAt.set(userKey, now)
    const ending = kicked(reason)
    let ended = 0
    for (const entry of [...(this.#users.get(userKey) ?? [])]) {
      if (entry.open !== null) ended += 1
      entry.end(ending)
    }
    return ended
  }

  /** Every connection, admissions under way too. */
  entries(): Entry[] {
    return [...this.#users.values()].flatMap((entries) => [...entries])
  }
}
