/** Counts connections, in all and of each address, from the first moment of an upgrade until its socket has gone. */
import { type AddressKeys, SITE_FACTOR } from '../login/address.js'

export interface SlotLimits {
  readonly total: number
  readonly perAddress: number
}

export class Slots {
  readonly #limits: SlotLimits
  readonly #ofAddress = new Map<string, number>()
  #taken = 0

  constructor(limits: SlotLimits) {
    this.#limits = limits
  }

  get taken(): number {
    return this.#taken
  }

  /** Which limit one more would pass; null for none. */
  wouldRefuse({ own, site }: AddressKeys): 'total' | 'address' | null {
    if (this.#taken >= this.#limits.total) return 'total'
    const { perAddress } = this.#limits
    if (this.#countOf(own) >= perAddress) return 'address'
    return site !== null && this.#countOf(site) >= perAddress * SITE_FACTOR ? 'address' : null
  }

  /** Takes one, whatever the limits say. */
  take(keys: AddressKeys): void {
    this.#taken += 1
    this.#add(keys, 1)
  }

  /** Gives one back; once for each that was taken. */
  free(keys: AddressKeys): void {
    this.#taken -= 1
    this.#add(keys, -1)
  }

  #add({ own, site }: AddressKeys, change: number): void {
    for (const key of site === null ? [own] : [own, site]) {
      const count = this.#countOf(key) + change
      if (count === 0) this.#ofAddress.delete(key)
      else this.#ofAddress.set(key, count)
    }
  }

  #countOf(key: string): number {
    return this.#ofAddress.get(key) ?? 0
  }
}
