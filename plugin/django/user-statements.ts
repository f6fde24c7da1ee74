/** The SQL that reads a user model. Source: `BaseUserManager.get_by_natural_key`, `ModelBackend` in contrib/auth. */
import { InvalidOptionError } from './errors.js'
import { quoteIdentifier, quoteOptional, splitTable } from './identifiers.js'
import type { UserModel } from './user-model.js'

/** `$1` is the id or the username. */
export interface UserStatements {
  readonly byId: string
  readonly byUsername: string
  /** As `byId`, and `groups`: their names as JSON text. Null: the model has no groups. */
  readonly byIdWithGroups: string | null
  /** `name`: `app_label.codename`. */
  readonly permissions: string
  /** The same, but of a superuser one row, whose `name` is null: everything. */
  readonly grants: string
  /** `name` of each group. Null: the model has no groups. */
  readonly groups: string | null
  /** Null: the model has no such column. */
  readonly stampLastLogin: string | null
  /** `$2`: the new text, `$3`: the one it replaces. Answers the row's `password` if it did. */
  readonly replacePassword: string
  /** Of many users, `$1` an array of ids, with groups and without; see `authority.ts`. */
  readonly authority: readonly [full: string, bare: string]
  readonly customFields: readonly string[]
}

const OWN_FIELDS: ReadonlySet<string> = new Set([
  'id',
  'username',
  'isActive',
  'isStaff',
  'isSuperuser',
  'lastLogin',
  'password',
  // What a session's user has besides.
  'groups',
  'hasPerm',
  'hasModulePerms',
])

const NAMES = [
  ...([
    'table',
    'authSchema',
    'idColumn',
    'usernameColumn',
    'usernameMaxLength',
    'iexact',
  ] as const),
  ...(['passwordColumn', 'isActiveColumn', 'isStaffColumn', 'isSuperuserColumn'] as const),
  ...(['lastLoginColumn', 'where', 'groupsTable', 'permissionsTable', 'ownerColumn'] as const),
  'columns',
] satisfies readonly (keyof UserModel)[]

/**
 * Builds the statements of a user model.
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`: a name that is no identifier, a field that is taken, an unknown name.
 */
export function buildUserStatements(model: UserModel): UserStatements {
  if (typeof model !== 'object' || model === null) {
    throw new InvalidOptionError('users', 'an object', model)
  }
  for (const name of Object.keys(model)) {
    if (NAMES.some((known) => known === name)) continue
    throw new InvalidOptionError(
      `users.${name}`,
      `one of ${NAMES.join(', ')}`,
      name,
      'an unknown name',
    )
  }
  const names = readNames(model)
  const { users, id, where } = names
  const columns = Object.entries<string>(model.columns ?? {})
  const custom = columns.map(([field, column]) => quoteCustomColumn(field, column, names.password))
  const lastLogin = quoteOptional('users.lastLoginColumn', model.lastLoginColumn, 'last_login')
  const selection = [
    `${id}::text AS "id"`,
    `coalesce(${names.username}::text, '') AS "username"`,
    `${names.isActive} AS "isActive"`,
    `${readFlag('users.isStaffColumn', model.isStaffColumn, 'is_staff', 'false')} AS "isStaff"`,
    `${names.isSuperuser} AS "isSuperuser"`,
    // As text of milliseconds: a pool handed in may parse timestamps in its own way.
    `${lastLogin === null ? 'NULL' : `(extract(epoch FROM ${lastLogin}) * 1000)::float8::text`} AS "lastLogin"`,
    `coalesce(${names.password}::text, '') AS "password"`,
    ...custom,
  ].join(', ')
  const { groupNames, ...permissions } = buildPermissionStatements(model, names)
  // Two rows tell as much as Django's 21: more than one is refused.
  const select = (condition: string, more = ''): string =>
    `SELECT ${selection}${more} FROM ${users} WHERE ${condition}${where} LIMIT 2`
  return {
    byId: select(`${id} = $1`),
    byIdWithGroups:
      groupNames === null ? null : select(`${id} = $1`, `, ${groupNames} AS "groups"`),
    byUsername: select(
      readBoolean('users.iexact', model.iexact)
        ? `UPPER(${names.username}::text) = UPPER($1::text)`
        : `${names.username} = $1`,
    ),
    ...permissions,
    // Of the column alone, as `update_last_login`, and as Django's setter of a password.
    stampLastLogin:
      lastLogin === null ? null : `UPDATE ${users} SET ${lastLogin} = now() WHERE ${id} = $1`,
    replacePassword: `UPDATE ${users} SET ${names.password} = $2 WHERE ${id} = $1 AND ${names.password} = $3
RETURNING ${names.password}::text AS "password"`,
    customFields: columns.map(([field]) => field),
  }
}

interface Names {
  readonly schema: string
  readonly table: string
  readonly users: string
  readonly id: string
  readonly username: string
  readonly password: string
  /** Expressions that are true or false. */
  readonly isActive: string
  readonly isSuperuser: string
  /** Empty, or ` AND (…)`. */
  readonly where: string
}

function readNames(model: UserModel): Names {
  const { schema, table } = splitTable('users.table', model.table ?? 'auth_user', '')
  return {
    schema,
    table,
    users: schema + quoteIdentifier('users.table', table),
    id: quoteIdentifier('users.idColumn', model.idColumn ?? 'id'),
    username: quoteIdentifier('users.usernameColumn', model.usernameColumn ?? 'username'),
    password: quoteIdentifier('users.passwordColumn', model.passwordColumn ?? 'password'),
    isActive: readFlag('users.isActiveColumn', model.isActiveColumn, 'is_active', 'true'),
    isSuperuser: readFlag(
      'users.isSuperuserColumn',
      model.isSuperuserColumn,
      'is_superuser',
      'false',
    ),
    where: readWhere(model.where),
  }
}

function buildPermissionStatements(
  model: UserModel,
  names: Names,
): Pick<UserStatements, 'permissions' | 'grants' | 'groups' | 'authority'> & {
  groupNames: string | null
} {
  const { schema, table, users, id, isActive, isSuperuser, where } = names
  const authSchema = readAuthSchema(model.authSchema, schema)
  const qualify = (name: string): string => authSchema + quoteIdentifier('users.table', name)
  const readTable = (
    option: string,
    given: string | null | undefined,
    name: string,
  ): string | null => {
    if (given === null) return null
    if (given === undefined) return schema + quoteIdentifier('users.table', name)
    const split = splitTable(option, given, schema)
    return split.schema + quoteIdentifier(option, split.table)
  }
  const ofUser = readTable(
    'users.permissionsTable',
    model.permissionsTable,
    `${table}_user_permissions`,
  )
  const ofGroups = readTable('users.groupsTable', model.groupsTable, `${table}_groups`)
  // Django's rule for a many-to-many column is the lower-case model name, which has no underscore.
  const owner = quoteIdentifier(
    'users.ownerColumn',
    model.ownerColumn ?? `${table.slice(table.lastIndexOf('_') + 1)}_id`,
  )
  const grants: string[] = []
  if (ofUser !== null) {
    grants.push(`p.id IN (SELECT up.permission_id FROM ${ofUser} up
                 WHERE up.${owner} = (SELECT id FROM account))`)
  }
  if (ofGroups !== null) {
    grants.push(`p.id IN (SELECT gp.permission_id FROM ${qualify('auth_group_permissions')} gp
                  JOIN ${ofGroups} ug ON ug.group_id = gp.group_id
                 WHERE ug.${owner} = (SELECT id FROM account))`)
  }
  const account = `
WITH account AS (SELECT ${id} AS id, ${isSuperuser} AS is_superuser FROM ${users} WHERE ${id} = $1 AND ${isActive}${where})`
  const select = `
SELECT ct.app_label || '.' || p.codename AS name
  FROM ${qualify('auth_permission')} p
  JOIN ${qualify('django_content_type')} ct ON ct.id = p.content_type_id`
  const isSuper = '(SELECT is_superuser FROM account)'
  return {
    permissions: `${account}${select}\n WHERE ${[isSuper, ...grants].join('\n    OR ')}`,
    grants: `${account}
SELECT NULL AS name FROM account WHERE is_superuser UNION ALL${select}
 WHERE NOT ${isSuper} AND (${grants.join('\n    OR ') || 'false'})`,
    groupNames:
      ofGroups &&
      // As JSON text: a pool handed in may read arrays in its own way.
      `array_to_json(ARRAY(SELECT g.name FROM ${qualify('auth_group')} g
  JOIN ${ofGroups} ug ON ug.group_id = g.id WHERE ug.${owner} = ${users}.${id} ORDER BY g.id))::text`,
    groups:
      ofGroups &&
      `
WITH account AS (SELECT ${id} AS id FROM ${users} WHERE ${id} = $1${where})
SELECT g.name AS name FROM ${qualify('auth_group')} g
  JOIN ${ofGroups} ug ON ug.group_id = g.id
 WHERE ug.${owner} = (SELECT id FROM account) ORDER BY g.id`,
    authority: [
      buildAuthorityStatement(names, ofGroups, owner, qualify('auth_group')),
      buildAuthorityStatement(names, null, owner, ''),
    ],
  }
}

// Group ids for each user, and one row of all groups' names; hashes stay there. `ANY($1)` has the key's own type. See decisions.md.
function buildAuthorityStatement(
  { users, id, password, isActive, where }: Names,
  ofGroups: string | null,
  owner: string,
  groups: string,
): string {
  const select = (ids: string): string => `
SELECT ${id}::text AS "id", ${isActive} AS "isActive",
       substr(encode(sha256(convert_to(coalesce(${password}::text, ''), 'UTF8')), 'base64'), 1, 22) AS "digest",
       ${ids} AS "groups"
  FROM ${users}`
  const condition = ` WHERE ${id} = ANY($1)${where}`
  if (ofGroups === null) return select('NULL') + condition
  // Names of its own, or a column of the site's filter might be of either table.
  return `${select('perspective_groups')}
  LEFT JOIN (SELECT ug.${owner}, string_agg(ug.group_id::text, ',' ORDER BY ug.group_id)
               FROM ${ofGroups} ug WHERE ug.${owner} = ANY($1) GROUP BY 1)
    AS perspective_members (perspective_member, perspective_groups) ON perspective_member = ${id}
${condition}
UNION ALL SELECT NULL, NULL, NULL, (SELECT json_object_agg(g.id, g.name)::text FROM ${groups} g)`
}

// NULL is false, as for Django 5; before it, a NULL is_active let in.
function readFlag(
  option: string,
  column: string | null | undefined,
  name: string,
  absent: 'true' | 'false',
): string {
  const quoted = quoteOptional(option, column, name)
  return quoted === null ? absent : `coalesce(${quoted}, false)`
}

function readWhere(where: unknown): string {
  if (where === undefined) return ''
  if (typeof where !== 'string' || where.trim() === '' || where.includes('\0')) {
    throw new InvalidOptionError('users.where', 'SQL of a condition', where)
  }
  // On lines of its own, so that a comment at its end does not swallow the rest.
  return ` AND (\n${where}\n)`
}

function readAuthSchema(given: string | null | undefined, ofUsers: string): string {
  if (given === undefined) return ofUsers
  return given === null ? '' : `${quoteIdentifier('users.authSchema', given)}.`
}

function readBoolean(option: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new InvalidOptionError(option, 'true or false', value)
}

function quoteCustomColumn(field: string, column: string, password: string): string {
  const option = `users.columns.${field}`
  if (OWN_FIELDS.has(field)) {
    throw new InvalidOptionError(option, 'a field that no user has yet', field)
  }
  const quoted = quoteIdentifier(option, column)
  if (quoted === password) {
    throw new InvalidOptionError(option, 'a column other than the password hash', column)
  }
  return `${quoted} AS ${quoteIdentifier(option, field)}`
}
