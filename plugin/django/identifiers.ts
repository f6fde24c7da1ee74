/** Names of a site's tables and columns, as SQL has them: quoted, so that nothing in them is SQL. */
import { InvalidOptionError } from './errors.js'

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID`: no text, empty, or with a NUL. */
export function quoteIdentifier(option: string, name: string): string {
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw new InvalidOptionError(option, 'a name that PostgreSQL can quote', name)
  }
  return `"${name.replaceAll('"', '""')}"`
}

/** Null for a column that the table does not have; `name` where nothing is said. */
export function quoteOptional(
  option: string,
  column: string | null | undefined,
  name: string,
): string | null {
  return column === null ? null : quoteIdentifier(option, column ?? name)
}

/** `schema`, quoted and with its dot, or the one given where `name` has none; `table`, not quoted. */
export function splitTable(
  option: string,
  name: string,
  schema: string,
): { schema: string; table: string } {
  const expected = '"table" or "schema.table"'
  if (typeof name !== 'string') throw new InvalidOptionError(option, expected, name)
  const [first = '', second, ...rest] = name.split('.')
  if (rest.length > 0) throw new InvalidOptionError(option, expected, name)
  if (second === undefined) return { schema, table: first }
  return { schema: `${quoteIdentifier(option, first)}.`, table: second }
}

/** The quoted name of a table, given as `table` or `schema.table`. */
export function qualifyTable(option: string, name: string): string {
  const { schema, table } = splitTable(option, name, '')
  return schema + quoteIdentifier(option, table)
}
