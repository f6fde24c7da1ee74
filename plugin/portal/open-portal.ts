import { type DjangoUsers, type PasswordOptions, resolvePasswordSettings } from '../django/index.js'
import type { ResolvedOptions } from '../options.js'
import { AnonymousChecker } from './anonymous-checker.js'
import { DjangoChecker } from './django-checker.js'
import { HashedPasswordChecker } from './hashed-password-checker.js'
import { Portal } from './portal.js'

export interface OpenPortal {
  readonly portal: Portal
  /** Null where no password is proved instead of sent. */
  readonly hashedPasswords: HashedPasswordChecker | null
}

/**
 * Makes the portal with Django's checkers, and those of the options.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`
 */
export function openPortal(
  options: ResolvedOptions,
  users: DjangoUsers,
  passwords: PasswordOptions,
  now: () => number,
): OpenPortal {
  const { anonymous, saltKey } = options.waysIn
  const django = new DjangoChecker(users, passwords)
  const { hashers, costs } = resolvePasswordSettings(passwords)
  const { iterations } = costs
  const hashedPasswords =
    saltKey === null
      ? null
      : new HashedPasswordChecker(users, django, { saltKey, iterations, hashers, now })
  const portal = new Portal([
    django,
    ...(hashedPasswords === null ? [] : [hashedPasswords]),
    ...(anonymous ? [new AnonymousChecker()] : []),
    ...options.checkers,
  ])
  return { portal, hashedPasswords }
}
