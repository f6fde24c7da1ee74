import { OpenDatabase, openDatabase, type Database } from './database.js'
import { DatabaseUnavailableError } from './errors.js'
import type { DjangoAccount, User, UserModel } from './user-model.js'
import { buildUserStatements, type UserStatements } from './user-statements.js'
import { normalizeUsername, readMaxLength } from './username.js'

interface UserRow {
  readonly id: string
  readonly username: string
  readonly isActive: boolean
  readonly isStaff: boolean
  readonly isSuperuser: boolean
  readonly lastLogin: string | null
  readonly password: string
}

/** Reads Django's user, group and permission tables; writes nothing. */
export class DjangoUsers {
  readonly #database: OpenDatabase
  readonly #isOwner: boolean
  readonly #statements: UserStatements
  readonly #isFolded: boolean
  /** {@link UserModel.usernameMaxLength} */
  readonly usernameMaxLength: number

  /**
   * Connects at the first query. An {@link OpenDatabase} stays the caller's to close.
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
   * Reads the user and the password hash for `str(pk)`; null as for {@link byId}.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async accountById(id: string): Promise<DjangoAccount | null> {
    const account = await this.#readAccount(this.#statements.byId, id)
    // PostgreSQL reads ' 7' and '07' as 7: one user must not be known by two ids.
    return account?.user.id === id ? account : null
  }

  /**
   * Reads the user and the password hash for an exact username; null where none or more than one row matches, which
   * Django refuses too (`MultipleObjectsReturned`). Source: `BaseUserManager.get_by_natural_key`.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async accountByUsername(username: string): Promise<DjangoAccount | null> {
    return this.#readAccount(this.#statements.byUsername, username)
  }

  /**
   * The one form of all the usernames that {@link accountByUsername} may find the same row for, as far as this model says:
   * guesses are counted by it.
   */
  accountName(username: string): string {
    const name = normalizeUsername(username, this.usernameMaxLength)
    return this.#isFolded ? name.toUpperCase() : name
  }

  /**
   * Reads the user's own and its groups' permissions as `app_label.codename`: none for an inactive or unknown user, all
   * there are for a superuser. Source: `ModelBackend.get_all_permissions`.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async permissionsOf(id: string): Promise<ReadonlySet<string>> {
    const rows = await this.#read<{ name: string }>(this.#statements.permissions, id)
    return new Set(rows.map((row) => row.name))
  }

  /**
   * Reads the names of the user's groups, oldest group first; also for an inactive user, as `user.groups` does. What a
   * user may do is said by {@link permissionsOf}, where a group of an inactive user counts for nothing.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async groupsOf(id: string): Promise<readonly string[]> {
    const { groups } = this.#statements
    if (groups === null) return []
    const rows = await this.#read<{ name: string }>(groups, id)
    return rows.map((row) => row.name)
  }

  /** Ends the connections that this object opened. */
  async close(): Promise<void> {
    if (this.#isOwner) await this.#database.close()
  }

  async #readAccount(statement: string, value: string): Promise<DjangoAccount | null> {
    const [row, another] = await this.#read<UserRow>(statement, value)
    if (row === undefined || another !== undefined) return null
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
      lastLogin: row.lastLogin === null ? null : new Date(Number(row.lastLogin)),
      ...Object.fromEntries(custom),
    }) as User
    return { user, password: row.password }
  }

  async #read<Row extends object>(statement: string, value: string): Promise<readonly Row[]> {
    try {
      return await this.#database.query<Row>(statement, [value])
    } catch (error) {
      // Class 22, data exception: the text is no value of the column's type, so no row has it.
      if (error instanceof DatabaseUnavailableError && /^22...$/.test(error.database.code ?? '')) {
        return []
      }
      throw error
    }
  }
}
