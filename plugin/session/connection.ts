import type { BrokerStats } from '../../broker/index.js'
import type { AddressKeys } from '../login/address.js'
import { type Authority, userKeyOf } from '../portal/portal.js'
import type { Ending } from './endings.js'
import type { Beating } from './heartbeat.js'
import type { Entry, OpenAvatarSession, SessionRegistry } from './sessions.js'

/** What a connection needs of its session. */
export interface ConnectedSession {
  readonly open: OpenAvatarSession | null
  end(ending: Ending): void
  refreshed(authority: Authority): void
  readonly beating: Beating
  readonly stats: BrokerStats
  drain(): void
  over(): Promise<void>
}

/**
 * One socket, from the first check of its upgrade to its end: what it counts for, and what becomes of it when its user is
 * disconnected on the way. The slot is given back when the socket has gone, which in every case it once does.
 */
export class Connection implements Entry {
  readonly #registry: SessionRegistry
  readonly #address: AddressKeys
  #userKey: string | null = null
  #family = ''
  #session: ConnectedSession | null = null
  #sessionKey: string | null = null
  #ending: Ending | null = null
  #digest: string | null = null
  #upgrade: { readonly from: string; readonly to: string } | null = null
  #hasSlot = true
  #isOpen = false

  /** A connection from an address, which gives its slot back; or the limit that refuses it. */
  static take(registry: SessionRegistry, address: AddressKeys): Connection | 'total' | 'address' {
    return registry.takeSlot(address) ?? new Connection(registry, address)
  }

  /** One beyond the limits, in the place of another of the same page. */
  static takeOver(registry: SessionRegistry, address: AddressKeys): Connection {
    registry.takeSlotOver(address)
    return new Connection(registry, address)
  }

  private constructor(registry: SessionRegistry, address: AddressKeys) {
    this.#registry = registry
    this.#address = address
  }

  get open(): OpenAvatarSession | null {
    return this.#session?.open ?? null
  }

  /** How it was ended, wherever it stood then; null where it was not. */
  get ending(): Ending | null {
    return this.#ending
  }

  /** The key of the Django session that the page came by, with which this ends; null where it came otherwise. */
  get sessionKey(): string | null {
    return this.#sessionKey
  }

  get isUpgraded(): boolean {
    return this.#session !== null
  }

  get family(): string {
    return this.#family
  }

  /**
   * Enters the registry; false where the user has too many, or the socket has gone: nothing would take it out again.
   * Synchronous: many at once cannot pass the limit together.
   */
  enter(checker: string, userId: string, family: string): boolean {
    const userKey = userKeyOf(checker, userId)
    this.#family = family
    if (!this.#hasSlot || !this.#registry.enter(userKey, this)) return false
    this.#userKey = userKey
    return true
  }

  get beating(): Beating | null {
    return this.#session?.beating ?? null
  }

  get isProven(): boolean {
    return this.#digest !== null
  }

  /**
   * The user's row has been read: from now on it is looked at again and again. `sessionKey`: of the Django session that a
   * login by cookie depends on.
   */
  proven(digest: string, sessionKey: string | null): void {
    this.#digest = digest
    this.#sessionKey = sessionKey
  }

  rebind(from: string, to: string): void {
    this.#upgrade = { from, to }
  }

  isBoundTo(digest: string): boolean {
    if (digest === this.#digest) return true
    const upgrade = this.#upgrade
    if (upgrade === null || upgrade.from !== this.#digest || upgrade.to !== digest) return false
    // It has been written: the old hash is nobody's any more.
    this.#digest = digest
    this.#upgrade = null
    return true
  }

  refreshed(authority: Authority): void {
    this.#session?.refreshed(authority)
  }

  /** Its session has begun; those that it takes the place of end. */
  attach(session: ConnectedSession): void {
    this.#session = session
    if (this.#userKey !== null) this.#registry.makeRoom(this.#userKey, this)
  }

  opened(): void {
    this.#isOpen = true
    this.#registry.opened()
  }

  /** Leaves the registry; the slot stays until {@link gone}. Idempotent. */
  leave(): void {
    if (this.#userKey === null) return
    this.#registry.leave(this.#userKey, this, this.#isOpen)
    this.#userKey = null
  }

  /** The socket is no more. Idempotent. */
  gone(): void {
    this.leave()
    if (this.#hasSlot) this.#registry.freeSlot(this.#address)
    this.#hasSlot = false
  }

  end(ending: Ending): void {
    this.#ending ??= ending
    this.#session?.end(ending)
  }

  get stats(): BrokerStats | null {
    return this.#session?.stats ?? null
  }

  drain(): void {
    this.#session?.drain()
  }

  over(): Promise<void> {
    return this.#session?.over() ?? Promise.resolve()
  }
}
