/** What many users' rows say at once, as far as open sessions depend on it. */
import type { OpenDatabase } from './database.js'
import { DatabaseUnavailableError } from './errors.js'

/** What decides over one user's open sessions. */
export interface DjangoAuthority {
  readonly isActive: boolean
  /** The first 22 characters of the base64 of SHA-256 of the password column: 132 bits. Keep it out of logs. */
  readonly passwordDigest: string
  /** Names of the user's groups, oldest group first; shared among the users who are in the same ones. */
  readonly groups: readonly string[]
}

interface AuthorityRow {
  /** Null in the one row that names the groups. */
  readonly id: string | null
  readonly isActive: boolean
  readonly digest: string
  /** Ids with commas between them; in the row without `id` a JSON object of the names by id. */
  readonly groups: string | null
}

/** 10,000 ids took 58 ms; so many keep a statement well below its timeout on a busy database. */
const IDS_A_QUERY = 5_000

/**
 * Reads by one statement for each 5000 ids. Where one id is no value of the column's type the batch is halved until that
 * one is alone, so that it is nobody and the others are still found.
 *
 * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
 */
export async function readAuthority(
  database: OpenDatabase,
  statement: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DjangoAuthority>> {
  const found = new Map<string, DjangoAuthority>()
  const batches: (readonly string[])[] = []
  for (let start = 0; start < ids.length; start += IDS_A_QUERY) {
    batches.push(ids.slice(start, start + IDS_A_QUERY))
  }
  for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
    try {
      addRows(found, await database.query<AuthorityRow>(statement, [arrayLiteral(batch)]))
    } catch (error) {
      if (!isDataError(error)) throw error
      const half = Math.ceil(batch.length / 2)
      if (batch.length > 1) batches.unshift(batch.slice(0, half), batch.slice(half))
    }
  }
  return found
}

function addRows(found: Map<string, DjangoAuthority>, rows: readonly AuthorityRow[]): void {
  const names = readGroupNames(rows)
  const lists = new Map<string, readonly string[]>()
  for (const { id, isActive, digest, groups } of rows) {
    if (id === null) continue
    const key = groups ?? ''
    let list = lists.get(key)
    if (list === undefined) {
      const groupIds = key === '' ? [] : key.split(',')
      list = Object.freeze(groupIds.flatMap((groupId) => names.get(groupId) ?? []))
      lists.set(key, list)
    }
    found.set(id, Object.freeze({ isActive, passwordDigest: digest, groups: list }))
  }
}

function readGroupNames(rows: readonly AuthorityRow[]): ReadonlyMap<string, string> {
  const json = rows.find(({ id }) => id === null)?.groups ?? '{}'
  return new Map(Object.entries(JSON.parse(json) as Record<string, string>))
}

/** An array as PostgreSQL writes one: as text, so that any pool that is handed in binds it alike. */
function arrayLiteral(ids: readonly string[]): string {
  return `{${ids.map((id) => `"${id.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`
}

/** Class 22, data exception: a text is no value of the column's type. */
export function isDataError(error: unknown): boolean {
  return error instanceof DatabaseUnavailableError && /^22...$/.test(error.database.code ?? '')
}
