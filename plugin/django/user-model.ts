import { InvalidOptionError } from './errors.js'

/** The fields that an app adds to {@link User}, by declaration merging; `UserModel.columns` must then name their columns. */
export interface CustomUserFields {}

/** One row of Django's user table, as a frozen object; the password hash is not in it. */
export interface DjangoUser {
  /** `str(pk)`: integer, uuid and text keys alike. */
  readonly id: string
  readonly username: string
  readonly isActive: boolean
  readonly isStaff: boolean
  readonly isSuperuser: boolean
  readonly lastLogin: Date | null
}

export type User = DjangoUser & Readonly<CustomUserFields>

/** A user and the text of the password column. Keep it out of logs: the second half is the hash. */
export interface DjangoAccount {
  readonly user: User
  readonly password: string
}

type HasNoCustomFields = keyof CustomUserFields extends never ? true : false

/** Names what differs from `django.contrib.auth.models.User`; the flags and `password` keep Django's column names. */
export type UserModel = {
  /**
   * `table` or `schema.table`; default `auth_user`. The tables of groups and permissions are looked for in the same
   * schema, under the names that Django derives from this one.
   */
  readonly table?: string
  /** Default `id`. */
  readonly idColumn?: string
  /** Column of `USERNAME_FIELD`; default `username`. */
  readonly usernameColumn?: string
} & (HasNoCustomFields extends true
  ? { readonly columns?: undefined }
  : {
      /** Column of each field of {@link CustomUserFields}. */
      readonly columns: { readonly [Field in keyof CustomUserFields]: string }
    })

/** The option of that name: it must be given where there are custom fields, whose columns it names. */
export type UserModelOption = HasNoCustomFields extends true
  ? { readonly users?: UserModel | undefined }
  : { readonly users: UserModel }

export interface UserStatements {
  readonly byId: string
  readonly byUsername: string
  readonly permissions: string
  readonly customFields: readonly string[]
}

const MODEL_NAMES = ['table', 'idColumn', 'usernameColumn', 'columns']
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'id',
  'username',
  'isActive',
  'isStaff',
  'isSuperuser',
  'lastLogin',
  'password',
])

/**
 * Builds the statements of a user model; `$1` is the id or the username.
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`: an unknown name, one that is no identifier, or a field that is taken.
 */
export function buildUserStatements(model: UserModel): UserStatements {
  checkNames(model)
  const { schema, table } = splitTable(model.table ?? 'auth_user')
  const qualify = (name: string): string => schema + quoteIdentifier('users.table', name)
  const users = qualify(table)
  const id = quoteIdentifier('users.idColumn', model.idColumn ?? 'id')
  const username = quoteIdentifier('users.usernameColumn', model.usernameColumn ?? 'username')
  const columns = Object.entries<string>(model.columns ?? {})
  const custom = columns.map(([field, column]) => quoteCustomColumn(field, column))
  const selection = [
    `${id}::text AS "id"`,
    `${username}::text AS "username"`,
    '"is_active" AS "isActive"',
    '"is_staff" AS "isStaff"',
    '"is_superuser" AS "isSuperuser"',
    // As text of milliseconds: a pool handed in may parse timestamps in its own way.
    `(extract(epoch FROM "last_login") * 1000)::float8::text AS "lastLogin"`,
    '"password" AS "password"',
    ...custom,
  ].join(', ')
  // Two rows tell as much as Django's 21: more than one is refused.
  const select = (column: string): string =>
    `SELECT ${selection} FROM ${users} WHERE ${column} = $1 LIMIT 2`
  // Django's rule for a many-to-many column is the lower-case model name, which has no underscore.
  const owner = quoteIdentifier('users.table', `${table.slice(table.lastIndexOf('_') + 1)}_id`)
  return {
    byId: select(id),
    byUsername: select(username),
    permissions: `
WITH account AS (SELECT ${id} AS id, "is_superuser" AS is_superuser FROM ${users} WHERE ${id} = $1 AND "is_active")
SELECT ct.app_label || '.' || p.codename AS name
  FROM ${qualify('auth_permission')} p
  JOIN ${qualify('django_content_type')} ct ON ct.id = p.content_type_id
 WHERE (SELECT is_superuser FROM account)
    OR p.id IN (SELECT up.permission_id FROM ${qualify(`${table}_user_permissions`)} up
                 WHERE up.${owner} = (SELECT id FROM account))
    OR p.id IN (SELECT gp.permission_id FROM ${qualify('auth_group_permissions')} gp
                  JOIN ${qualify(`${table}_groups`)} ug ON ug.group_id = gp.group_id
                 WHERE ug.${owner} = (SELECT id FROM account))`,
    customFields: columns.map(([field]) => field),
  }
}

/** A misspelt name would silently read Django's default table. */
function checkNames(model: unknown): void {
  if (typeof model !== 'object' || model === null) {
    throw new InvalidOptionError('users', 'an object', model)
  }
  for (const name of Object.keys(model)) {
    if (MODEL_NAMES.includes(name)) continue
    const expected = `one of ${MODEL_NAMES.join(', ')}`
    throw new InvalidOptionError(`users.${name}`, expected, name, 'an unknown name')
  }
}

function splitTable(name: string): { schema: string; table: string } {
  const expected = '"table" or "schema.table"'
  if (typeof name !== 'string') throw new InvalidOptionError('users.table', expected, name)
  const [first = '', second, ...rest] = name.split('.')
  if (rest.length > 0) throw new InvalidOptionError('users.table', expected, name)
  if (second === undefined) return { schema: '', table: first }
  return { schema: `${quoteIdentifier('users.table', first)}.`, table: second }
}

function quoteCustomColumn(field: string, column: string): string {
  const option = `users.columns.${field}`
  if (OWN_FIELDS.has(field)) {
    throw new InvalidOptionError(option, 'a field that no user has yet', field)
  }
  if (column === 'password') {
    throw new InvalidOptionError(option, 'a column other than the password hash', column)
  }
  return `${quoteIdentifier(option, column)} AS ${quoteIdentifier(option, field)}`
}

function quoteIdentifier(option: string, name: string): string {
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw new InvalidOptionError(option, 'a name that PostgreSQL can quote', name)
  }
  return `"${name.replaceAll('"', '""')}"`
}
