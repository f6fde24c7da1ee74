import type { DjangoUser } from './user-model.js'

/**
 * Tells whether `user` has the permission `name`: an active superuser has any name, an inactive user has none, staff alone means
 * nothing. `permissions` is what `DjangoUsers.permissionsOf` read. Source: `PermissionsMixin.has_perm`.
 */
export function hasPermission(
  user: Pick<DjangoUser, 'isActive' | 'isSuperuser'>,
  permissions: ReadonlySet<string>,
  name: string,
): boolean {
  return user.isActive && (user.isSuperuser || permissions.has(name))
}

/**
 * Tells whether `user` has any permission of the app `appLabel`: an active superuser has, an inactive user has not.
 * `permissions` as for {@link hasPermission}. Source: `PermissionsMixin.has_module_perms`.
 */
export function hasModulePermissions(
  user: Pick<DjangoUser, 'isActive' | 'isSuperuser'>,
  permissions: ReadonlySet<string>,
  appLabel: string,
): boolean {
  if (!user.isActive) return false
  if (user.isSuperuser) return true
  // A codename may have a dot in it, an app label has none.
  if (appLabel.includes('.')) return false
  return Array.from(permissions).some((name) => name.startsWith(`${appLabel}.`))
}
