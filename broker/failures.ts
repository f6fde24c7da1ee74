/** Errors of our own code while it serves the peer: what the peer may see of them, and who is told the rest. */
import { type PerspectiveError, Refusal, RemoteError } from './errors.js'

/** What the application is told of a method of its own that failed. */
export interface FailedCall {
  /** What the peer was told instead of the error; empty for a call without answer. */
  readonly id: string
  /** The name that was called; empty for a function. */
  readonly method: string
}
/** Hears of an `error` of a method of this side, and which `call` it was. */
export type CallErrorListener = (error: unknown, call: FailedCall) => void

export class Failures {
  readonly #listener: CallErrorListener | undefined
  readonly #prefix = Math.random().toString(36).slice(2, 8)
  #count = 0

  constructor(listener: CallErrorListener | undefined) {
    this.#listener = listener
  }

  /** What the peer may see of an error: a declared one as it is, any other as an id that our log has. */
  publicError(error: unknown, method: string): PerspectiveError {
    if (error instanceof RemoteError || error instanceof Refusal) return error
    const id = `${this.#prefix}-${++this.#count}`
    this.report(error, { id, method })
    return new Refusal(
      'PB_ERR_CALL_FAILED',
      `${method === '' ? 'the function' : method} failed; the log of its side says why, under ${id}`,
    )
  }

  /** Tells the application; also of calls that nobody waits for. */
  report(error: unknown, call: FailedCall): void {
    try {
      this.#listener?.(error, call)
    } catch {
      // A log that fails must not end a connection.
    }
  }
}
