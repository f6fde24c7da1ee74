/**
 * The errors that calls, references and connections reject with. The codes of this room; each is a row of
 * docs/ERRORS.md. What crosses the wire is a code, a message and data, never a stack.
 */

/** Base of every error this package throws; `code` is stable, the message is for people. */
export class PerspectiveError extends Error {
  /** `PB_ERR_<AREA>_<WHAT>`, or the application's own code in a {@link RemoteError}. */
  readonly code: string

  /** @param options - The `cause`, as any error takes it. */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  static {
    this.prototype.name = 'PerspectiveError'
  }
}

/** `PB_ERR_LOGIN_REJECTED`. The login was refused: unknown user, wrong password and inactive user are one and the same answer. */
export class UnauthorizedLoginError extends PerspectiveError {
  constructor(message = 'The user name or the password is wrong.') {
    super('PB_ERR_LOGIN_REJECTED', message)
  }

  static {
    this.prototype.name = 'UnauthorizedLoginError'
  }
}

/** `PB_ERR_REF_DEAD`. The reference was released, or the connection it belongs to has ended. */
export class DeadReferenceError extends PerspectiveError {
  constructor(message: string) {
    super('PB_ERR_REF_DEAD', message)
  }

  static {
    this.prototype.name = 'DeadReferenceError'
  }
}

/** `PB_ERR_CONNECTION_LOST`. The connection ended before the call was answered. */
export class ConnectionLostError extends PerspectiveError {
  /** `not-sent`: the call never left, repeat it at will. `unknown`: the other side may have run it. */
  readonly outcome: 'not-sent' | 'unknown'

  constructor(message: string, outcome: 'not-sent' | 'unknown') {
    super('PB_ERR_CONNECTION_LOST', message)
    this.outcome = outcome
  }

  static {
    this.prototype.name = 'ConnectionLostError'
  }
}

/**
 * The error a method throws on purpose, for its caller to see: code, message and data cross as they are.
 * Anything else that a method throws reaches the caller as `PB_ERR_CALL_FAILED` with an id.
 *
 * @throws TypeError - `code` is empty or begins with `PB_ERR_`, which is this package's own.
 */
export class RemoteError<D = unknown> extends PerspectiveError {
  /** Whatever can cross; `undefined` when none was given. */
  readonly data: D | undefined

  constructor(code: string, message: string, data?: D) {
    if (typeof code !== 'string' || code === '' || code.startsWith('PB_ERR_')) {
      throw new TypeError(
        `A RemoteError's code is a word of your own, not "PB_ERR_…"; got ${JSON.stringify(code)}`,
      )
    }
    super(code, message)
    this.data = data
  }

  static {
    this.prototype.name = 'RemoteError'
  }
}

/** `PB_ERR_CALL_UNSENDABLE`. The value cannot cross the wire; `message` names the path to it (`args[0].user.socket`). */
export class UnsendableError extends PerspectiveError {
  constructor(message: string) {
    super('PB_ERR_CALL_UNSENDABLE', message)
  }

  static {
    this.prototype.name = 'UnsendableError'
  }
}

/**
 * What a call is refused with by this package rather than by the method: the peer sees it as it is. Its codes:
 *
 * - of the call: `PB_ERR_CALL_UNKNOWN_METHOD`, `PB_ERR_CALL_ARGUMENTS`, `PB_ERR_CALL_DENIED`, `PB_ERR_CALL_FAILED`,
 *   `PB_ERR_CALL_TIMEOUT`, `PB_ERR_CALL_COPY`; of a server that shuts down `PB_ERR_CALL_CLOSING`
 * - of a reference: `PB_ERR_REF_UNKNOWN`, `PB_ERR_REF_NOT_CALLABLE`
 * - of `limits`: `PB_ERR_LIMIT_PENDING_CALLS`, `PB_ERR_LIMIT_REFERENCES`, `PB_ERR_LIMIT_CALL_RATE`, `PB_ERR_LIMIT_STREAMS`,
 *   `PB_ERR_LIMIT_SIGNALS`, `PB_ERR_LIMIT_VALUE`, `PB_ERR_LIMIT_FRAME`
 */
export class CallError extends PerspectiveError {
  static {
    this.prototype.name = 'CallError'
  }
}

/** What was received is a copy of a class that is not registered here, or whose state its schema refuses. */
export class CopyError extends CallError {
  constructor(message: string) {
    super('PB_ERR_CALL_COPY', message)
  }
}

/** A refusal of this package's own while it serves a call, never of a method: what it says is meant for the peer. */
export class Refusal extends CallError {}

/** The peer broke the protocol; ends the connection with close code 4400. Never leaves the reader. */
export class ProtocolError extends PerspectiveError {
  constructor(message: string) {
    super('PB_ERR_WIRE_PROTOCOL', message)
  }

  static {
    this.prototype.name = 'ProtocolError'
  }
}

/** Builds what a caller rejects with from the code, message and data of an error answer. */
export function errorFromWire(code: string, message: string, data: unknown): PerspectiveError {
  if (!code.startsWith('PB_ERR_'))
    return new RemoteError(code === '' ? 'UNKNOWN' : code, message, data)
  if (code === 'PB_ERR_REF_DEAD') return new DeadReferenceError(message)
  return new CallError(code, message)
}
