/** What the tables know of the objects of the peer, and what a handle can ask of its connection. */
import { collectionSeen } from './collection-hint.js'
import type { RemotePromise } from './remote-types.js'
import type { AbortSignalLike } from './signals.js'
import type { CloseReason } from './transport.js'

/** Options of single calls, given by `withOptions`, never among the arguments. */
export interface CallOptions {
  /** When it aborts, the call rejects at once with its reason, and the callee's `currentCall().signal` fires. */
  readonly signal?: AbortSignalLike | undefined
  /** Milliseconds until the call rejects with `PB_ERR_CALL_TIMEOUT`; 0 means never, whatever the broker's default is. */
  readonly timeoutMs?: number | undefined
}

/** One end of a connection, as its handles see it. */
export interface HandleOwner {
  /** The one that answers now, where this one stands for the roots of one connection after the other. */
  readonly current?: HandleOwner
  /** Starts a call; the promise is born handled. `quotedMethod` is the name as JSON; `pin` stays reachable until the answer. */
  call(
    record: RemoteRecord,
    quotedMethod: string,
    args: unknown[],
    pin: object,
    options?: CallOptions,
  ): RemotePromise<unknown>
  /** Says a call that gets no answer. `json`: the arguments, where somebody has found that JSON says all of them. */
  tell(record: RemoteRecord, quotedMethod: string, args: unknown[], json?: string): void
  release(record: RemoteRecord): void
  /** Tells the application of a failure that nobody waits for. */
  report(error: unknown, method: string): void
  /** Hears of the connection's end, also where it has ended already; answers a function that unsubscribes. */
  onDisconnect(listener: (reason: CloseReason) => void): () => void
}

/**
 * What the tables know of one object of the peer. Holds its handle weakly and is held by it: whatever the table
 * reaches must never reach the handle, or it is never collected.
 */
export class RemoteRecord {
  readonly owner: HandleOwner
  /** The peer's id; 0 is its root. */
  readonly id: number
  readonly isFunction: boolean
  /** Introductions received; a release carries it. */
  count = 0
  isDead = false
  #handle: WeakRef<object> | null = null

  constructor(owner: HandleOwner, id: number, isFunction: boolean) {
    this.owner = owner
    this.id = id
    this.isFunction = isFunction
  }

  liveHandle(): object | null {
    return this.#handle?.deref() ?? null
  }

  setHandle(handle: object): void {
    this.#handle = new WeakRef(handle)
  }

  describe(): string {
    return `RemoteReference(${this.id === 0 ? 'root' : String(this.id)})`
  }
}

/** Releases what nobody holds any more. */
export const collected: FinalizationRegistry<RemoteRecord> = new FinalizationRegistry<RemoteRecord>(
  (record) => {
    collectionSeen()
    // The id may have come again after the collection and before this callback: then a new handle lives.
    if (!record.isDead && record.liveHandle() === null) record.owner.release(record)
  },
)

export const kRecord: unique symbol = Symbol('perspective.record')
export const kOptions: unique symbol = Symbol('perspective.options')

/** The record behind a handle, or null for anything else. Sees through proxies that a UI library puts around it. */
export function recordOf(value: object): RemoteRecord | null {
  // A symbol of this module cannot be forged by a peer, and costs a plain object one failed lookup.
  return (value as { [kRecord]?: RemoteRecord })[kRecord] ?? null
}
