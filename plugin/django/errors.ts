/** What of a database error may be known outside: no text, no values, no rows, no connection string. */
export interface DatabaseFailure {
  /** SQLSTATE, or the operating system's code, such as `ECONNREFUSED`. */
  readonly code?: string
  /** `ERROR`, `FATAL` or `PANIC`. */
  readonly severity?: string
  /** Name of PostgreSQL's C function that raised it. */
  readonly routine?: string
}

/** Is the base of the errors of this room; `code` is stable, the message is for people. */
export class DjangoError extends Error {
  /** `PB_ERR_<AREA>_<WHAT>`. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }

  static {
    this.prototype.name = 'DjangoError'
  }
}

/** Says that the database gave no rows: unreachable, silent, or refusing the query. */
export class DatabaseUnavailableError extends DjangoError {
  /** What may be known of the cause. */
  readonly database: DatabaseFailure

  constructor(database: DatabaseFailure) {
    super(
      'PB_ERR_DB_UNAVAILABLE',
      `expected rows from the database, got an error ${database.code ?? 'without a code'}`,
    )
    this.database = Object.freeze({ ...database })
  }

  static {
    this.prototype.name = 'DatabaseUnavailableError'
  }
}

/** Says that more logins wait for a password worker than may wait. */
export class PasswordQueueFullError extends DjangoError {
  /** Whole seconds, at least 1, for a `Retry-After` header. */
  readonly retryAfterSeconds: number

  /** @param maxWaiting - How many checks may wait. */
  constructor(maxWaiting: number, retryAfterSeconds: number) {
    super(
      'PB_ERR_LOGIN_BUSY',
      `expected at most ${String(maxWaiting)} waiting password checks, got one more`,
    )
    this.retryAfterSeconds = retryAfterSeconds
  }

  static {
    this.prototype.name = 'PasswordQueueFullError'
  }
}

/** Says that the worker thread ended before it had derived the key. */
export class PasswordWorkerError extends DjangoError {
  constructor() {
    super('PB_ERR_LOGIN_WORKER', 'expected a key from the password worker, got its end')
  }

  static {
    this.prototype.name = 'PasswordWorkerError'
  }
}

/** Says that a hasher needs a package that is not installed; the message says what to install. */
export class HasherMissingError extends DjangoError {
  /** What to install, as npm names it. */
  readonly packageName: string

  constructor(packageName: string) {
    super(
      'PB_ERR_LOGIN_HASHER',
      `expected the package ${packageName} for a stored password, got none; run: npm install ${packageName}`,
    )
    this.packageName = packageName
  }

  static {
    this.prototype.name = 'HasherMissingError'
  }
}

/** Says that an option is not what its type demands; shows the type of what came, never its value. */
export class InvalidOptionError extends TypeError {
  /** Stable. */
  readonly code = 'PB_ERR_OPT_INVALID' as const

  /** `option` should be `expected`, and is `got`, of which may be said what is `shown`: its kind unless given. */
  constructor(option: string, expected: string, got: unknown, shown: string = describeKind(got)) {
    super(`option ${option}: expected ${expected}, got ${shown}`)
  }

  static {
    this.prototype.name = 'InvalidOptionError'
  }
}

function describeKind(value: unknown): string {
  if (value === null) return 'null'
  if (value === '') return 'an empty string'
  if (Array.isArray(value)) return 'an array'
  return typeof value
}
