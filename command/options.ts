/** Turns what a Django project says of itself into options of the plugin: only those that are not the defaults. */
import { passwordDefaults, resolvePasswordSettings } from '../plugin/django/index.js'
import type { ProjectAnswer } from './project.js'

/** JSON; the plugin takes it as it is. */
export type PrintedOptions = Readonly<Record<string, unknown>>

/** The options, and what a person should look at. */
export function makeOptions(answer: ProjectAnswer): { options: PrintedOptions; notes: string[] } {
  const notes = [...answer.notes]
  const hashers = answer.hashers.filter((name) => {
    if (isKnown(name)) return true
    notes.push(`no hasher ${name} here: who has such a password cannot log in`)
    return false
  })
  const defaults = passwordDefaults('5.2')
  const { passwordIterations: iterations, bcryptTruncate } = answer
  const costs = Object.entries(answer.passwordCosts).filter(
    ([name, value]) => !isEqual(value, defaults.costs[name as keyof typeof defaults.costs]),
  )
  const users = Object.entries(answer.users).filter(
    ([name, value]) => !isEqual(value, defaultUsers(answer.users)[name]),
  )
  return {
    options: {
      ...(users.length > 0 && { users: Object.fromEntries(users) }),
      ...(!isEqual(hashers, defaults.hashers) && { hashers }),
      ...(iterations !== null &&
        iterations !== defaults.iterations && { passwordIterations: iterations }),
      ...(costs.length > 0 && { passwordCosts: Object.fromEntries(costs) }),
      ...(bcryptTruncate && { bcryptTruncate }),
    },
    notes,
  }
}

function defaultUsers({ table }: ProjectAnswer['users']): Record<string, unknown> {
  const name = String(table)
  const bare = name.slice(name.lastIndexOf('.') + 1)
  return {
    table: 'auth_user',
    idColumn: 'id',
    usernameColumn: 'username',
    usernameMaxLength: 150,
    iexact: false,
    passwordColumn: 'password',
    isActiveColumn: 'is_active',
    isStaffColumn: 'is_staff',
    isSuperuserColumn: 'is_superuser',
    lastLoginColumn: 'last_login',
    groupsTable: `${bare}_groups`,
    permissionsTable: `${bare}_user_permissions`,
    ownerColumn: `${bare.slice(bare.lastIndexOf('_') + 1)}_id`,
  }
}

function isKnown(name: string): boolean {
  try {
    resolvePasswordSettings({ hashers: [name] as never })
    return true
  } catch {
    return false
  }
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
