import type { Caller } from './caller.js'
import type { Exchange } from './exchange.js'
import type { CallOptions, HandleOwner, RemoteRecord } from './remote-record.js'
import type { RemotePromise } from './remote-types.js'
import type { CloseReason } from './transport.js'
import { ROOT_ID } from './wire.js'

/** What the handles of one connection ask of it. One object, no closures: there is one for each connection. */
export class ConnectionOwner implements HandleOwner {
  readonly #closed: Promise<CloseReason>
  readonly #listeners = new Set<(reason: CloseReason) => void>()
  #exchange!: Exchange
  #caller!: Caller
  #isClosed = false

  /** `closed`: why the connection ended; never rejects. */
  constructor(closed: Promise<CloseReason>) {
    this.#closed = closed
  }

  /** Before the first handle is made. */
  begin(exchange: Exchange, caller: Caller): void {
    this.#exchange = exchange
    this.#caller = caller
  }

  call(
    record: RemoteRecord,
    quotedMethod: string,
    args: unknown[],
    pin: object,
    options?: CallOptions,
  ): RemotePromise<unknown> {
    return this.#caller.call(record, quotedMethod, args, pin, options)
  }

  tell(record: RemoteRecord, quotedMethod: string, args: unknown[], json?: string): void {
    this.#caller.tell(record, quotedMethod, args, json)
  }

  release(record: RemoteRecord): void {
    if (record.id !== ROOT_ID) this.#exchange.tables.release(record)
  }

  report(error: unknown, method: string): void {
    this.#exchange.failures.report(error, { id: '', method })
  }

  onDisconnect(listener: (reason: CloseReason) => void): () => void {
    // The same function twice is two listeners.
    const own = (reason: CloseReason): void => {
      try {
        if (this.#listeners.delete(own)) listener(reason)
      } catch (error) {
        this.report(error, 'onDisconnect')
      }
    }
    this.#listeners.add(own)
    if (this.#isClosed) void this.#closed.then(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  /** The connection has ended; listeners hear of it after the calls that waited, whose rejections are on their way. */
  end(): void {
    this.#isClosed = true
    void this.#closed.then((reason) => {
      for (const listener of [...this.#listeners]) listener(reason)
    })
  }
}
