/** The one place where a login is decided: which checker takes the credentials, and what it says. */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { User } from '../django/index.js'

/** The name of Django's authority: users whom it vouches for are rows of Django's table. */
export const DJANGO = 'django'

/** Credentials as a page sends them: a `type`, and whatever the checker of that type reads. */
export interface SentCredentials {
  /** Says which checker takes them. */
  readonly type: string
  readonly [field: string]: unknown
}

/** What a checker may know of the request. */
export interface CheckContext {
  /** Of the page, as Fastify's `trustProxy` makes it out. */
  readonly ip: string
  /** Of the login request. */
  readonly headers: IncomingHttpHeaders
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** Somebody whom a checker vouches for. */
export interface CheckedUser {
  /** Frozen or not; `id` is what the checker's `load` will be asked for. */
  readonly user: User
  /** Text that changes when tickets already out must die: a password's hash. Never leaves this process. */
  readonly binding: string
  /** The names of the user's groups, for `user.groups` of a session; only {@link Checker.load} is asked for them. */
  readonly groups?: readonly string[]
}

/** What a user's row says now, as far as open sessions depend on it. */
export interface Authority {
  readonly isActive: boolean
  /** {@link bindingDigest} of the binding: another one ends the user's sessions. */
  readonly digest: string
  /** Names of the user's groups. */
  readonly groups: readonly string[]
}

/**
 * What is kept of a binding for as long as a session lives, in this process's memory only: the first 22 characters of the
 * base64 of its SHA-256.
 */
export function bindingDigest(binding: string): string {
  return createHash('sha256').update(binding).digest('base64').slice(0, 22)
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
   *
   * @param credentials - JSON of the page, unchecked but for its `type`.
   * @param context - Where the request came from, and whether it is still wanted.
   */
  check(
    credentials: SentCredentials,
    context: CheckContext,
  ): Promise<CheckedUser | null | undefined>
  /** Reads a user afresh, by the `id` that `check` gave it; null where there is none. */
  load(id: string): Promise<CheckedUser | null>
  /** The name in `credentials` that guesses are counted by, in the form in which the checker compares it; null: none. */
  accountName?(credentials: SentCredentials): string | null
  /**
   * `app_label.codename` of everything the user of that `id` may do now, or `'all'`; without it nothing that `requires` a permission
   * is allowed, unless the user is a superuser.
   */
  permissionsOf?(id: string): Promise<ReadonlySet<string> | 'all'>
  /**
   * Reads many users afresh, by `ids`, each a `user.id`; one that is not in the answer is of nobody any more. Asked every
   * `sessions.revalidateSeconds` for those who have sessions. Without it its users keep theirs until they end otherwise.
   */
  revalidate?(ids: readonly string[]): Promise<ReadonlyMap<string, Authority>>
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
      // Those of one name have the same users; the first one reads them.
      if (!this.#byName.has(checker.name)) this.#byName.set(checker.name, checker)
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

  /** Reads many users of one checker afresh; null where it cannot be asked. */
  async revalidate(
    checkerName: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Authority> | null> {
    return (await this.#byName.get(checkerName)?.revalidate?.(ids)) ?? null
  }

  /** What an account may do, `app_label.codename`; where its checker does not say, a superuser all and others nothing. */
  async permissionsOf({ checker, user }: Account): Promise<ReadonlySet<string> | 'all'> {
    const said = await this.#byName.get(checker)?.permissionsOf?.(user.id)
    return said ?? (user.isSuperuser ? 'all' : NO_PERMISSIONS)
  }
}
