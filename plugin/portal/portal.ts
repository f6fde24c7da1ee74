/** The one place where a login is decided: which checker takes the credentials, and what it says. */
import type { IncomingHttpHeaders } from 'node:http'
import type { User } from '../django/index.js'

/** The name of Django's authority: users whom it vouches for are rows of Django's table. */
export const DJANGO = 'django'

/** Credentials as a page sends them: a `type`, and whatever the checker of that type reads. */
export interface SentCredentials {
  readonly type: string
  readonly [field: string]: unknown
}

/** What a checker may know of the request. */
export interface CheckContext {
  readonly ip: string
  readonly headers: IncomingHttpHeaders
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** Somebody whom a checker vouches for. */
export interface CheckedUser {
  readonly user: User
  /** Text that changes when tickets already out must die: a password's hash. Never leaves this process. */
  readonly binding: string
  /** The key of the Django session that it came by, as good as a password. Never leaves this process. */
  readonly sessionKey?: string
  /** The names of the user's groups, for `user.groups` of a session; only {@link Checker.load} is asked for them. */
  readonly groups?: readonly string[]
}

/** Turns credentials of the types it declares into a user. */
export interface Checker {
  /** Names the authority; part of every session's key. Unique in the portal. */
  readonly name: string
  /** The types of credentials it takes; no two checkers share one. */
  readonly types: readonly string[]
  /**
   * Checks credentials. Null: refused, whatever the cause; undefined: not even of the form that the type has.
   * The caller answers every null alike.
   */
  check(
    credentials: SentCredentials,
    context: CheckContext,
  ): Promise<CheckedUser | null | undefined>
  /** Reads a user afresh, by `user.id`; null where there is none. */
  load(id: string): Promise<CheckedUser | null>
  /** The name that guesses are counted by, in the form in which the checker compares it; null: none. */
  accountName?(credentials: SentCredentials): string | null
  /**
   * `app_label.codename` of everything the user may do now, or `'all'`; without it nothing that `requires` a permission
   * is allowed, unless the user is a superuser.
   */
  permissionsOf?(id: string): Promise<ReadonlySet<string> | 'all'>
}

/** A user, and the name of the checker that vouches for it. */
export interface Account extends CheckedUser {
  readonly checker: string
}

/** What a user is known by everywhere: two checkers may have different users of one id. */
export function userKeyOf(checker: string, userId: string): string {
  return `${checker}:${userId}`
}

const NO_PERMISSIONS: ReadonlySet<string> = new Set()

export class Portal {
  readonly #byType = new Map<string, Checker>()
  readonly #byName = new Map<string, Checker>()

  /** The checkers have been checked: see `options.ts`. */
  constructor(checkers: readonly Checker[]) {
    for (const checker of checkers) {
      this.#byName.set(checker.name, checker)
      for (const type of checker.types) this.#byType.set(type, checker)
    }
  }

  /** The checker for credentials as they were sent; null where no checker takes their type. */
  checkerFor(credentials: SentCredentials): Checker | null {
    return this.#byType.get(credentials.type) ?? null
  }

  /** The checker of a name that a ticket has. */
  checkerNamed(name: string): Checker | null {
    return this.#byName.get(name) ?? null
  }

  /** Reads the account of a ticket afresh; null where the checker or the user is gone or inactive. */
  async load(checkerName: string, id: string): Promise<Account | null> {
    const checker = this.#byName.get(checkerName)
    const checked = (await checker?.load(id)) ?? null
    if (checked?.user.isActive !== true) return null
    return { ...checked, checker: checkerName }
  }

  /** What an account may do, `app_label.codename`; where its checker does not say, a superuser all and others nothing. */
  async permissionsOf({ checker, user }: Account): Promise<ReadonlySet<string> | 'all'> {
    const said = await this.#byName.get(checker)?.permissionsOf?.(user.id)
    return said ?? (user.isSuperuser ? 'all' : NO_PERMISSIONS)
  }
}
