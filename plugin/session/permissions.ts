import { hasModulePermissions } from '../django/index.js'
import type { Account, Portal } from '../portal/portal.js'

/** How old what is said of a permission may be. */
const MAX_AGE_MS = 10_000
const NOTHING: ReadonlySet<string> = new Set()
/** Somebody whose permissions are those that were read. */
const PLAIN = { isActive: true, isSuperuser: false }

/**
 * What one account may do, as Django says: read when it is asked for, and anew after 10 seconds, superuser or not. The
 * groups are those of the admission, until a periodic check of open sessions says others.
 */
export class Permissions {
  readonly #account: Account
  readonly #portal: Portal
  #groups: readonly string[]
  #read: Promise<ReadonlySet<string> | 'all'> | null = null
  #readUntil = 0

  constructor(account: Account, portal: Portal) {
    this.#account = account
    this.#portal = portal
    this.#groups = Object.freeze([...(account.groups ?? [])])
  }

  /** Names, oldest group first; frozen. */
  get groups(): readonly string[] {
    return this.#groups
  }

  /** Takes the names of the groups as they are now. Where they differ, so may the permissions: those are asked for anew. */
  refresh(groups: readonly string[]): void {
    const isSame =
      groups.length === this.#groups.length &&
      groups.every((name, index) => name === this.#groups[index])
    if (isSame) return
    this.#groups = Object.freeze([...groups])
    this.#read = null
  }

  /**
   * Source: `PermissionsMixin.has_perm`. An object, which only a caller without types can give, is nobody's but a superuser's: Django's own
   * backend grants nothing for one.
   *
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async has(permission: string, ...objects: never[]): Promise<boolean> {
    const granted = await this.#granted()
    if (granted === 'all') return true
    const isOfOne = objects.some((object) => object !== null && object !== undefined)
    return !isOfOne && granted.has(permission)
  }

  /**
   * Source: `PermissionsMixin.has_module_perms`.
   *
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async hasModule(appLabel: string): Promise<boolean> {
    const granted = await this.#granted()
    return granted === 'all' || hasModulePermissions(PLAIN, granted, appLabel)
  }

  async #granted(): Promise<ReadonlySet<string> | 'all'> {
    if (!this.#account.user.isActive) return NOTHING
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
