/** Turns what a Django project says of itself into options of the plugin: only those that are not the defaults. */
import {
  DEFAULT_BACKENDS,
  passwordDefaults,
  resolvePasswordSettings,
} from '../plugin/django/index.js'
import type { ProjectAnswer, SessionsAnswer } from './project.js'

/** JSON; the plugin takes it as it is, but for `djangoSessions`, whose keys a person puts in. */
export type PrintedOptions = Readonly<Record<string, unknown>>

/** The options, with `djangoSessions` where `withSessions` asks for it, and what a person should look at. */
export function makeOptions(
  answer: ProjectAnswer,
  withSessions: boolean,
): { options: PrintedOptions; notes: string[] } {
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
  const djangoSessions = withSessions ? makeSessions(answer.sessions, notes) : null
  return {
    options: {
      ...(users.length > 0 && { users: Object.fromEntries(users) }),
      ...(!isEqual(hashers, defaults.hashers) && { hashers }),
      ...(iterations !== null &&
        iterations !== defaults.iterations && { passwordIterations: iterations }),
      ...(costs.length > 0 && { passwordCosts: Object.fromEntries(costs) }),
      ...(bcryptTruncate && { bcryptTruncate }),
      ...(djangoSessions && { djangoSessions }),
    },
    notes,
  }
}

/** Null where the sessions cannot be read. */
function makeSessions(sessions: SessionsAnswer, notes: string[]): PrintedOptions | null {
  const { engine, cookieName, table, maxAgeSeconds, backends, keys } = sessions
  const problems = [...sessions.problems]
  if (backends.length === 0) problems.push("no backend finds its users as Django's own does")
  if (problems.length > 0) {
    notes.push(...problems.map((problem) => `no djangoSessions: ${problem}`))
    return null
  }
  notes.push(...sessions.notes)
  notes.push('secretKeys: put in the keys that these names stand for; the plugin refuses the names')
  return {
    secretKeys: Array.from({ length: keys }, (_, index) => nameKey(index)),
    ...(engine !== 'db' && { engine }),
    ...(cookieName !== 'sessionid' && { cookieName }),
    ...(table !== undefined && table !== 'django_session' && { table }),
    ...(maxAgeSeconds !== undefined && maxAgeSeconds !== 1_209_600 && { maxAgeSeconds }),
    ...(!isEqual(backends, DEFAULT_BACKENDS) && { backends }),
  }
}

/** A secret is not printed: where a person may have it from. */
function nameKey(index: number): string {
  return `process.env.SECRET_KEY${index === 0 ? '' : `_FALLBACK_${String(index)}`}`
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
    groupsTable: `${name}_groups`,
    permissionsTable: `${name}_user_permissions`,
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
