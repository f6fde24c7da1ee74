import type { AbortSignalLike } from './signals.js'

/** The call that is being served. */
export interface CurrentCall {
  /** Aborts when the caller gives the call up, by signal or deadline, and when the connection ends. */
  readonly signal: AbortSignalLike
  /** This side's root of the connection that the call came by: on a server the caller's avatar. Null: there is none. */
  readonly caller: object | null
  /** The name that was called; empty for a function. */
  readonly method: string
}

/** Whoever serves calls; asked only where somebody wants to know. */
export interface CallServer {
  signalOf(callId: number): AbortSignalLike
  readonly root: object | null
}

let server: CallServer | null = null
let callId = 0
let methodName = ''

/** Marks a call as the current one; three fields, so that a call that nobody asks about costs nothing. */
export function enterCall(by: CallServer, id: number, method: string): void {
  server = by
  callId = id
  methodName = method
}

export function leaveCall(): void {
  server = null
}

/**
 * Tells a remote method about the call that it serves. To be read before the method's first `await`: afterwards another
 * call may be current.
 *
 * @throws TypeError - no call is being served, or the first `await` has passed.
 */
export function currentCall(): CurrentCall {
  if (server === null) {
    throw new TypeError(
      'currentCall(): expected to be asked by a remote method, before its first await',
    )
  }
  return { signal: server.signalOf(callId), caller: server.root, method: methodName }
}
