/** What Django writes when somebody has logged in: `last_login`, and an old hash anew. None of it can fail the login. */
import type { FastifyBaseLogger } from 'fastify'
import { raceDeadline } from '../deadline.js'
import {
  checkPassword,
  DatabaseUnavailableError,
  type DjangoUsers,
  isPasswordOutdated,
  makePassword,
  type PasswordOptions,
  type User,
} from '../django/index.js'
import type { CheckedUser } from '../portal/portal.js'
import type { ResolvedLoginOptions } from './login-options.js'

/**
 * Hears, before it is written, that a user's password column is about to turn from one text into another though the
 * password stays: whatever is bound to `from` is from now on as good with `to`, too. If the write then fails, nobody will
 * ever see `to`. Both are hashes: not for logs.
 */
export type PasswordUpgraded = (user: User, from: string, to: string) => void

export interface LoginEffectsContext {
  readonly users: DjangoUsers
  readonly passwords: PasswordOptions
  readonly options: ResolvedLoginOptions
  readonly log: FastifyBaseLogger
  readonly passwordUpgraded: PasswordUpgraded
}

/**
 * How long an answer waits for `last_login`. Whoever looks after the answer finds it, as with Django; a row that somebody
 * has locked keeps nobody waiting.
 */
const STAMP_WAIT_MS = 500
/** How long a write that PostgreSQL refuses is not tried again. */
const PAUSE_MS = 600_000

export class LoginEffects {
  readonly #context: LoginEffectsContext
  readonly #stamps: WriteGuard
  readonly #upgrades: WriteGuard
  /** By user: an upgrade under way. A second login meanwhile gets what the first one writes. */
  readonly #upgrading = new Map<string, Promise<string>>()

  constructor(context: LoginEffectsContext) {
    this.#context = context
    const { log } = context
    this.#stamps = new WriteGuard(
      log,
      'last_login',
      'grant UPDATE on it or set updateLastLogin: false',
    )
    this.#upgrades = new WriteGuard(
      log,
      'an upgraded password',
      'grant UPDATE on it or set upgradePasswords: false',
    )
  }

  /**
   * Does what follows a login with a right password.
   *
   * @param password - As it was typed; null where the login needed none to be sent.
   * @returns The user, bound to what the password column has now: for the ticket.
   */
  async loggedIn(
    account: CheckedUser,
    password: string | null,
    signal: AbortSignal,
  ): Promise<CheckedUser> {
    const { updateLastLogin, upgradePasswords } = this.#context.options
    const stamped = updateLastLogin ? this.#stamp(account.user.id) : Promise.resolve()
    const bound =
      upgradePasswords && password !== null
        ? await this.#upgrade(account, password, signal)
        : account
    await raceDeadline(stamped, STAMP_WAIT_MS, () => new Error('late')).catch(() => undefined)
    return bound
  }

  async #stamp(id: string): Promise<void> {
    const { users } = this.#context
    if (users.hasLastLogin) await this.#stamps.try(() => users.stampLastLogin(id))
  }

  async #upgrade(
    account: CheckedUser,
    password: string,
    signal: AbortSignal,
  ): Promise<CheckedUser> {
    const { passwords } = this.#context
    const { user } = account
    if (!isPasswordOutdated(account.binding, passwords)) return account
    const key = `${user.id}\0${account.binding}`
    let writing = this.#upgrading.get(key)
    if (writing === undefined) {
      writing = this.#write(user, account.binding, password, signal).finally(() =>
        this.#upgrading.delete(key),
      )
      this.#upgrading.set(key, writing)
    }
    return { ...account, binding: await writing }
  }

  /** What the column has now and the password is right for, as far as is known. */
  async #write(user: User, from: string, password: string, signal: AbortSignal): Promise<string> {
    const { users, passwords, passwordUpgraded } = this.#context
    if (!this.#upgrades.isOpen) return from
    try {
      const to = await makePassword(password, { ...passwords, signal })
      if (to === null) return from
      // Before the write, or who compares the column meanwhile would take it for a change of the password.
      passwordUpgraded(user, from, to)
      const written = await this.#upgrades.try(() => users.replacePassword(user.id, from, to))
      if (typeof written === 'string') return written
      // Somebody else was faster: this user's other login in another process, Django, or a new password.
      const now = await users.accountById(user.id)
      if (now === null || now.password === from) return from
      if (now.password === to || (await checkPassword(password, now.password, passwords))) {
        return now.password
      }
    } catch (error) {
      // A full queue, a page that hung up, a database that is away: the next login tries again.
      this.#context.log.debug(
        { code: (error as { code?: unknown }).code },
        'perspective: no upgrade',
      )
    }
    return from
  }
}

/** One kind of write: says once that it does not work, and leaves it alone for a while where PostgreSQL refuses it. */
class WriteGuard {
  readonly #log: FastifyBaseLogger
  readonly #what: string
  readonly #advice: string
  #hasWarned = false
  #closedUntil = 0

  constructor(log: FastifyBaseLogger, what: string, advice: string) {
    this.#log = log
    this.#what = what
    this.#advice = advice
  }

  get isOpen(): boolean {
    return performance.now() >= this.#closedUntil
  }

  /** What the write answers; undefined where it failed, or was not tried. */
  async try<T>(write: () => Promise<T>): Promise<T | undefined> {
    if (!this.isOpen) return undefined
    try {
      const answer = await write()
      this.#hasWarned = false
      return answer
    } catch (error) {
      const database = error instanceof DatabaseUnavailableError ? error.database : {}
      if (isRefusal(database.code)) this.#closedUntil = performance.now() + PAUSE_MS
      if (!this.#hasWarned) {
        this.#log.warn(
          { database },
          `perspective: ${this.#what} cannot be written, and logins go on without; ${this.#advice}`,
        )
      }
      this.#hasWarned = true
      return undefined
    }
  }
}

/** PostgreSQL says no, and would again: a privilege, a column, a read-only standby. Not: it is away, or busy. */
function isRefusal(code: string | undefined): boolean {
  return code !== undefined && /^(?:2[2-5]|42|44|P0)...$/.test(code)
}
