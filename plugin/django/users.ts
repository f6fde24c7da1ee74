import { type DjangoAuthority, isDataError, readAuthority } from './authority.js'
import { DatabaseUnavailableError } from './errors.js'
import { OpenDatabase, openDatabase, type Database } from './database.js'
import type { DjangoAccount, User, UserModel } from './user-model.js'
import { buildUserStatements, type UserStatements } from './user-statements.js'
import { normalizeUsername, readMaxLength } from './username.js'

const NO_GROUPS: readonly string[] = Object.freeze([])

interface UserRow {
  readonly id: string
  readonly username: string
  readonly isActive: boolean
  readonly isStaff: boolean
  readonly isSuperuser: boolean
  readonly lastLogin: string | null
  readonly password: string
  /** JSON text; only where it was asked for. */
  readonly groups?: string
}

/** A user, the text of the password column, and the names of the user's groups, oldest group first. */
export interface DjangoAccountWithGroups extends DjangoAccount {
  /** Their names, oldest group first. */
  readonly groups: readonly string[]
}

/** Reads Django's user, group and permission tables; writes what a login writes, and only when it is asked to. */
export class DjangoUsers {
  readonly #database: OpenDatabase
  readonly #isOwner: boolean
  readonly #statements: UserStatements
  readonly #isFolded: boolean
  /** {@link UserModel.usernameMaxLength} */
  readonly usernameMaxLength: number

  /**
   * Connects to `database` at the first query. An {@link OpenDatabase} stays the caller's to close. `model` names what differs
   * from Django's own user.
   * @throws InvalidOptionError `PB_ERR_OPT_INVALID`: a database or a model that cannot be used.
   */
  constructor(database: OpenDatabase | string | Database, model?: UserModel) {
    this.#statements = buildUserStatements(model ?? {})
    this.#isFolded = model?.iexact ?? false
    this.usernameMaxLength = readMaxLength(model?.usernameMaxLength)
    this.#isOwner = !(database instanceof OpenDatabase)
    this.#database = database instanceof OpenDatabase ? database : openDatabase(database)
  }

  /**
   * Reads the user whose `str(pk)` is `id`; null where there is none, also for a text that the key's type refuses.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async byId(id: string): Promise<User | null> {
    return (await this.accountById(id))?.user ?? null
  }

  /**
   * Reads the user and the password hash for the `id`, `str(pk)`; null as for {@link byId}.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async accountById(id: string): Promise<DjangoAccount | null> {
    const account = await this.#readAccount(this.#statements.byId, id)
    // PostgreSQL reads ' 7' and '07' as 7: one user must not be known by two ids.
    return account?.user.id === id ? account : null
  }

  /**
   * Reads what a session of the user `id` begins with, in one query: the account of {@link accountById} and its groups, as
   * {@link groupsOf}. A model whose table of groups is not there has none.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async accountWithGroups(id: string): Promise<DjangoAccountWithGroups | null> {
    const account = await this.#readWithGroups(id)
    return account?.user.id === id ? account : null
  }

  /**
   * Reads the user and the password hash for an exact `username`; null where none or more than one row matches, which
   * Django refuses too (`MultipleObjectsReturned`). Source: `BaseUserManager.get_by_natural_key`.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async accountByUsername(username: string): Promise<DjangoAccount | null> {
    return this.#readAccount(this.#statements.byUsername, username)
  }

  /**
   * The one form of `username` and all the others that {@link accountByUsername} may find the same row for, as far as this model says:
   * guesses are counted by it.
   */
  accountName(username: string): string {
    const name = normalizeUsername(username, this.usernameMaxLength)
    return this.#isFolded ? name.toUpperCase() : name
  }

  /**
   * Reads the own and the groups' permissions of the user `id` as `app_label.codename`: none for an inactive or unknown user, all
   * there are for a superuser. Source: `ModelBackend.get_all_permissions`.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async permissionsOf(id: string): Promise<ReadonlySet<string>> {
    const rows = await this.#read<{ name: string }>(this.#statements.permissions, id)
    return new Set(rows.map((row) => row.name))
  }

  /**
   * Reads what the user `id` may do now: `'all'` for an active superuser, who has every permission of any name, else as
   * {@link permissionsOf}.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async grantsOf(id: string): Promise<ReadonlySet<string> | 'all'> {
    const rows = await this.#read<{ name: string | null }>(this.#statements.grants, id)
    const names = rows.flatMap(({ name }) => (name === null ? [] : [name]))
    return names.length < rows.length ? 'all' : new Set(names)
  }

  /**
   * Reads the names of the groups of the user `id`, oldest group first; also for an inactive user, as `user.groups` does. What a
   * user may do is said by {@link permissionsOf}, where a group of an inactive user counts for nothing.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async groupsOf(id: string): Promise<readonly string[]> {
    const { groups } = this.#statements
    if (groups === null) return []
    const rows = await this.#read<{ name: string }>(groups, id)
    return rows.map((row) => row.name)
  }

  /** Whether the model has a column that {@link stampLastLogin} writes. */
  get hasLastLogin(): boolean {
    return this.#statements.stampLastLogin !== null
  }

  /**
   * Writes the time of the database into `last_login` of the user `id`, and nothing else; where the model has no such column, nothing.
   * Source: `update_last_login`.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async stampLastLogin(id: string): Promise<void> {
    const { stampLastLogin } = this.#statements
    if (stampLastLogin !== null) await this.#database.query(stampLastLogin, [id])
  }

  /**
   * Writes `to` into the password column of the user `id` if it still is `from`: whoever changes a password meanwhile wins.
   * @returns What the column now has, or null where it had another text already. Keep it out of logs.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async replacePassword(id: string, from: string, to: string): Promise<string | null> {
    const { replacePassword } = this.#statements
    const values = [id, to, from]
    const [row] = await this.#database.query<{ password: string }>(replacePassword, values)
    return row?.password ?? null
  }

  /**
   * Reads many users at once, by `ids`, each a `str(pk)`: whether each is active, a digest of its password, its groups. An id that is not
   * in the answer is of nobody. A model whose table of groups is not there has none. Must run on the primary: a replica that lags does not know new users yet.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async authorityOf(ids: readonly string[]): Promise<ReadonlyMap<string, DjangoAuthority>> {
    const [full, bare] = this.#statements.authority
    try {
      return await readAuthority(this.#database, full, ids)
    } catch (error) {
      if (!isMissingTable(error)) throw error
      return readAuthority(this.#database, bare, ids)
    }
  }

  /** {@link OpenDatabase.connectionMaker} */
  get connectionMaker(): OpenDatabase['connectionMaker'] {
    return this.#database.connectionMaker
  }

  /** Ends the connections that this object opened. */
  async close(): Promise<void> {
    if (this.#isOwner) await this.#database.close()
  }

  async #readWithGroups(id: string): Promise<DjangoAccountWithGroups | null> {
    const { byId, byIdWithGroups } = this.#statements
    const plain = async (): Promise<DjangoAccountWithGroups | null> => {
      const account = await this.#readAccount(byId, id)
      return account === null ? null : { ...account, groups: NO_GROUPS }
    }
    if (byIdWithGroups === null) return plain()
    try {
      const row = await this.#readRow(byIdWithGroups, id)
      const groups = JSON.parse(row?.groups ?? '[]') as string[]
      return row === null ? null : { ...this.#toAccount(row), groups: Object.freeze(groups) }
    } catch (error) {
      if (!isMissingTable(error)) throw error
      return plain()
    }
  }

  async #readAccount(statement: string, value: string): Promise<DjangoAccount | null> {
    const row = await this.#readRow(statement, value)
    return row === null ? null : this.#toAccount(row)
  }

  /** Null where none or more than one row matches. */
  async #readRow(statement: string, value: string): Promise<UserRow | null> {
    const [row, another] = await this.#read<UserRow>(statement, value)
    return another === undefined ? (row ?? null) : null
  }

  #toAccount(row: UserRow): DjangoAccount {
    const custom = this.#statements.customFields.map((field): [string, unknown] => [
      field,
      Reflect.get(row, field),
    ])
    const user = Object.freeze({
      id: row.id,
      username: row.username,
      isActive: row.isActive,
      isStaff: row.isStaff,
      isSuperuser: row.isSuperuser,
      lastLogin: readTime(row.lastLogin),
      ...Object.fromEntries(custom),
    }) as User
    return { user, password: row.password }
  }

  async #read<Row extends object>(statement: string, value: string): Promise<readonly Row[]> {
    try {
      return await this.#database.query<Row>(statement, [value])
    } catch (error) {
      // The text is no value of the column's type, so no row has it.
      if (isDataError(error)) return []
      throw error
    }
  }
}

/** Null also for a time that no Date can be, such as PostgreSQL's infinity. */
function readTime(milliseconds: string | null): Date | null {
  const time = new Date(Number(milliseconds ?? Number.NaN))
  return Number.isNaN(time.getTime()) ? null : time
}

/** That of the groups, or of the users: then the statement without groups says so again. */
function isMissingTable(error: unknown): boolean {
  return error instanceof DatabaseUnavailableError && error.database.code === '42P01'
}
