import { PerspectiveError, type CloseReason } from '../broker/index.js'

/** The server answered a request of the login with something else than success. */
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

/** The WebSocket did not become a session. */
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
