import type { DjangoUser } from './user-model.js'

/**
 * Tells whether a user has a permission: an active superuser has any name, an inactive user has none, staff alone means
 * nothing. `permissions` is what `DjangoUsers.permissionsOf` read. Source: `PermissionsMixin.has_perm`.
 */
export function hasPermission(
  user: Pick<DjangoUser, 'isActive' | 'isSuperuser'>,
  permissions: ReadonlySet<string>,
  name: string,
): boolean {
  return user.isActive && (user.isSuperuser || permissions.has(name))
}
