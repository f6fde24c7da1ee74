import { PerspectiveError, type CloseReason } from '../broker/index.js'

/**
 * The server answered a request of the login with something else than success. Its codes:
 *
 * - no answer of this plugin's: `PB_ERR_CLIENT_UNREACHABLE`
 * - this page may not go on: `PB_ERR_USER_CHANGED`; `PB_ERR_CLIENT_CHALLENGE`, of a hashed password
 * - the request is wrong: `PB_ERR_LOGIN_SHAPE`, `PB_ERR_LOGIN_CONTENT_TYPE`, `PB_ERR_LOGIN_BODY`, `PB_ERR_LOGIN_SLOW`,
 *   `PB_ERR_LOGIN_ABANDONED`, `PB_ERR_ORIGIN_REFUSED`, `PB_ERR_REQUEST_REFUSED`
 * - try again later: `PB_ERR_LOGIN_LIMIT`, `PB_ERR_LOGIN_BUSY`, `PB_ERR_DB_UNAVAILABLE`, `PB_ERR_SERVER_CLOSING`,
 *   `PB_ERR_RENEWAL_LIMIT`, `PB_ERR_RENEWAL_BUSY`
 * - log in again: `PB_ERR_RENEWAL_REJECTED`
 * - see the server's log: `PB_ERR_SERVER_FAILED`, `PB_ERR_LOGIN_HASHER`, `PB_ERR_LOGIN_WORKER`
 */
export class RequestError extends PerspectiveError {
  /** The HTTP status; 0 where no answer came at all. */
  readonly status: number
  /** Seconds the server asks to wait before the next attempt; null where it says nothing. */
  readonly retryAfterSeconds: number | null

  constructor(code: string, message: string, status: number, retryAfterSeconds: number | null) {
    super(code, message)
    this.status = status
    this.retryAfterSeconds = retryAfterSeconds
  }

  static {
    this.prototype.name = 'RequestError'
  }
}

/**
 * The WebSocket did not become a session: `PB_ERR_CLIENT_UPGRADE`, `PB_ERR_CLIENT_REFUSED`, `PB_ERR_CLIENT_TIMEOUT`. Why an
 * upgrade was refused a page cannot see; the server's log has the code: `PB_ERR_TICKET_INVALID`, `PB_ERR_ORIGIN_REFUSED`,
 * `PB_ERR_UPGRADE_REQUIRED`, `PB_ERR_UPGRADE_PROTOCOL`, `PB_ERR_UPGRADE_LIMIT`, `PB_ERR_UPGRADE_FULL`, `PB_ERR_UPGRADE_SLOW`,
 * `PB_ERR_TICKET_LEDGER`.
 */
export class ConnectError extends PerspectiveError {
  /** How the socket ended; null where it was given up. A refused upgrade shows as 1006: a page cannot see more. */
  readonly reason: CloseReason | null

  constructor(code: string, message: string, reason: CloseReason | null) {
    super(code, message)
    this.reason = reason
  }

  static {
    this.prototype.name = 'ConnectError'
  }
}
