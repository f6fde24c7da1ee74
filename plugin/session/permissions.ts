import { hasPermission } from '../django/index.js'
import type { Account, Portal } from '../portal/portal.js'

const MAX_AGE_MS = 10_000

/** What one account may do, as Django says; read when it is asked for, and anew after 10 seconds. */
export class Permissions {
  readonly #account: Account
  readonly #portal: Portal
  #read: Promise<ReadonlySet<string>> | null = null
  #readUntil = 0

  constructor(account: Account, portal: Portal) {
    this.#account = account
    this.#portal = portal
  }

  /** @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE` */
  async has(permission: string): Promise<boolean> {
    const { user } = this.#account
    return user.isActive && hasPermission(user, await this.#permissions(), permission)
  }

  #permissions(): Promise<ReadonlySet<string>> {
    const now = performance.now()
    if (this.#read !== null && now < this.#readUntil) return this.#read
    const reading = this.#portal.permissionsOf(this.#account)
    this.#read = reading
    this.#readUntil = now + MAX_AGE_MS
    reading.catch(() => {
      if (this.#read === reading) this.#read = null
    })
    return reading
  }
}
