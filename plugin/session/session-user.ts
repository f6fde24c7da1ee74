import type { User } from '../django/index.js'
import type { Permissions } from './permissions.js'

/**
 * The user of a session: the row as it was read at the admission, its groups, and what it may do. Data where it is sent,
 * logged, copied or written as JSON; the methods stay behind.
 */
export type SessionUser = User & {
  /** Names of the user's groups, oldest group first; read anew about every 10 seconds. */
  readonly groups: readonly string[]
  /**
   * Tells whether the user has a Django permission, `app_label.codename`: an active superuser has any, an inactive user
   * none. Read anew after 10 seconds.
   *
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  readonly hasPerm: (permission: string) => Promise<boolean>
  /**
   * Tells whether the user has any permission of a Django app, named by its label. Read anew after 10 seconds.
   *
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  readonly hasModulePerms: (appLabel: string) => Promise<boolean>
}

const kPermissions = Symbol('permissions')

/** One getter for all users: with one for each, V8 gives every user a hash table, 300 bytes more. */
function groups(this: { readonly [kPermissions]: Permissions }): readonly string[] {
  return this[kPermissions].groups
}

export function makeSessionUser(user: User, permissions: Permissions): SessionUser {
  const made = Object.defineProperties(
    { ...user },
    {
      [kPermissions]: { value: permissions },
      groups: { enumerable: true, get: groups },
      // Not enumerable: what is sent would give the page a way to ask for any permission, and a log would show them.
      hasPerm: { value: permissions.has.bind(permissions) },
      hasModulePerms: { value: (appLabel: string) => permissions.hasModule(appLabel) },
    },
  )
  return Object.freeze(made) as SessionUser
}
