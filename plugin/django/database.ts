import pgPromise from 'pg-promise'
import { DatabaseUnavailableError, InvalidOptionError, type DatabaseFailure } from './errors.js'
import { inTime } from './in-time.js'
import type { ListenClient } from './notifications.js'

/**
 * A database object that the app already has: a `Pool` of pg, or a pg-promise database (known by its `$pool`).
 * It stays the app's: it is never closed here.
 */
export type Database =
  | {
      /** Runs the statement `text`, its `$1`… bound to `values`. */
      query(text: string, values: unknown[]): Promise<{ readonly rows: readonly object[] }>
    }
  | {
      /** The pool of a pg-promise database. */
      readonly $pool: object
    }

/** Longest wait for a connection. */
const CONNECT_TIMEOUT_MS = 2_000
/** Longest wait for an answer; of a database handed in, the wait for its connection included. */
const QUERY_TIMEOUT_MS = 3_000

type Query = (text: string, values: readonly unknown[]) => Promise<readonly object[]>

/** Runs parameterized queries; every failure is a {@link DatabaseUnavailableError}. Made by {@link openDatabase}. */
export class OpenDatabase {
  readonly #query: Query
  readonly #end: () => Promise<void>
  readonly #pool: object

  /** @internal */
  constructor(query: Query, end: () => Promise<void>, pool: object) {
    this.#query = query
    this.#end = end
    this.#pool = pool
  }

  /**
   * What makes connections for LISTEN: with the options of the pool, and not of its number. Null for a database handed in
   * that is no `Pool` of pg and has none.
   */
  get connectionMaker(): (() => ListenClient) | null {
    const { Client, options } = this.#pool as { Client?: unknown; options?: object }
    if (typeof Client !== 'function' || typeof options !== 'object') return null
    const ClientClass = Client as new (options: object) => ListenClient
    return () => new ClientClass(options)
  }

  /**
   * Runs one statement, `text`, with `$1`… bound to `values` by the server. `Row` is the caller's word for what the statement selects.
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`: no rows within 5 seconds, or an error instead of them.
   */
  async query<Row extends object>(
    text: string,
    values: readonly unknown[],
  ): Promise<readonly Row[]> {
    try {
      return (await this.#query(text, values)) as readonly Row[]
    } catch (error) {
      throw new DatabaseUnavailableError(pickFailure(error))
    }
  }

  /** Ends the connections that were opened here; a database handed in stays open. */
  close(): Promise<void> {
    return this.#end()
  }
}

/**
 * Opens `database`: a connection string with pg-promise, or the database object that the app already has. Connects at the
 * first query, not before.
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID`: neither of them.
 */
export function openDatabase(database: string | Database): OpenDatabase {
  if (typeof database === 'string' && database !== '') return openConnectionString(database)
  if (typeof database === 'object' || typeof database === 'function') {
    const pool = findPool(database)
    if (pool !== undefined) return wrapPool(pool)
  }
  throw new InvalidOptionError(
    'database',
    'a connection string, a pg Pool or a pg-promise database',
    database,
  )
}

const initialisePgPromise = (): ReturnType<typeof pgPromise> => pgPromise({ noWarnings: true })

function openConnectionString(connectionString: string): OpenDatabase {
  const database = initialisePgPromise()({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    allowExitOnIdle: true,
  })
  const query: Query = async (text, values) => {
    const connection = await database.connect()
    let isUsable = false
    try {
      // Bound by the server: pg-promise would format plain `$1` itself, on the client (CVE-2025-29744).
      const statement = new pgPromise.ParameterizedQuery({ text, values: [...values] })
      const rows = await connection.query<object[]>(statement)
      isUsable = true
      return rows
    } catch (error) {
      isUsable = isSqlState(pickFailure(error).code)
      throw error
    } finally {
      // A connection that timed out is still waiting for its answer: the next query would wait behind it.
      void connection.done(!isUsable)
    }
  }
  return new OpenDatabase(query, () => database.$pool.end(), database.$pool)
}

interface Pool {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly object[] }>
}

function findPool(database: Database | null): Pool | undefined {
  if (database === null) return undefined
  const pool: unknown = '$pool' in database ? database.$pool : database
  if (pool === null || typeof pool !== 'object') return undefined
  return 'query' in pool && typeof pool.query === 'function' ? (pool as Pool) : undefined
}

function wrapPool(pool: Pool): OpenDatabase {
  // Its own timeouts are the app's affair, and pg has none unless told.
  const query: Query = async (text, values) =>
    (await inTime(pool.query(text, [...values]), QUERY_TIMEOUT_MS)).rows
  return new OpenDatabase(query, () => Promise.resolve(), pool)
}

/** SQLSTATE: PostgreSQL itself has answered. https://www.postgresql.org/docs/current/errcodes-appendix.html */
function isSqlState(code: string | undefined): boolean {
  // EPIPE has five capitals, too; every SQLSTATE has a digit.
  return code !== undefined && /^(?!08|57|[A-Z]{5})[0-9A-Z]{5}$/.test(code)
}

/** What of an error may be known outside. */
export function pickFailure(error: unknown): DatabaseFailure {
  if (error instanceof DatabaseUnavailableError) return error.database
  if (error === null || typeof error !== 'object') return {}
  const pick = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name)
    // Only words: a database handed in may put anything there.
    return typeof value === 'string' && /^\w{1,40}$/.test(value) ? value : undefined
  }
  // pg's own timeouts have no code, only a text.
  const isTimeout = error instanceof Error && /\btimeout\b/i.test(error.message)
  const code = pick('code') ?? (isTimeout ? 'ETIMEDOUT' : undefined)
  const severity = pick('severity')
  const routine = pick('routine')
  return {
    ...(code !== undefined && { code }),
    ...(severity !== undefined && { severity }),
    ...(routine !== undefined && { routine }),
  }
}
