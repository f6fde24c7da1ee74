import type { CopyableClass } from './copyable.js'
import type { CallErrorListener } from './failures.js'
import type { Authorize } from './invocation.js'
import type { Limits } from './limits.js'

/** The peer's first word: whether it has a root, and what its application says of itself. */
export interface PeerHello {
  /** Whether it has a root; calls on a root that is not there reject. */
  readonly hasRoot: boolean
  /** JSON, unchecked: `info` of its options. */
  readonly info: unknown
}

/** Hears what a call came to: its promise, or null where it is over; and what it was refused with, or threw at once. */
export type CallWatch = (promise: Promise<unknown> | null, error: unknown) => void

/** What a broker is made with; everything is optional. */
export interface BrokerOptions {
  /**
   * What the peer may call: a `Referenceable`, or a literal whose own functions are meant. While a promise is
   * pending, calls on it wait (`limits.maxHeldCalls`) and answers flow. If it rejects, no root ever comes: close.
   */
  readonly root?: object | PromiseLike<object> | undefined
  /** Plain JSON for the peer's `broker.peer`; leaves with our hello, as soon as the root is there. */
  readonly info?: unknown
  /** Quotas of this connection; those not given are of `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits> | undefined
  /** The classes whose instances cross as copies; the same on both sides. */
  readonly copyables?: readonly CopyableClass[] | undefined
  /** Milliseconds until a call rejects with `PB_ERR_CALL_TIMEOUT`, unless `withOptions` says otherwise. Default 0: never. */
  readonly callTimeoutMs?: number | undefined
  /** Answers `requires` of the remote tables; without it every method that requires something is refused. */
  readonly authorize?: Authorize | undefined
  /**
   * Hears of every call of the peer's before it is made, and is asked for nothing more where it answers nothing. A `RemoteError`
   * that it throws is what the call comes to. Must be quick: it runs for each.
   */
  readonly onCall?: ((method: string) => CallWatch | undefined) | undefined
  /** Hears of every error of a local method that the peer is not told of, with the id that it is told instead. */
  readonly onCallError?: CallErrorListener | undefined
  /** Hears what the other side's maker says with {@link Broker.notify}: unchecked JSON. Until there is one it is ignored. */
  readonly onNotice?: ((notice: unknown) => void) | undefined
}

/** How much a broker holds; for tests and figures. */
export interface BrokerStats {
  /** Objects of ours that the peer holds. */
  readonly exported: number
  /** Objects of the peer's that we hold. */
  readonly imported: number
  /** Calls of ours that wait for an answer. */
  readonly pending: number
  /** Calls of the peer's whose methods still run. */
  readonly running: number
  /** Streams open either way. */
  readonly streams: number
  /** Live signals of the peer's. */
  readonly signals: number
}
