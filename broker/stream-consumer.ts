import { ConnectionLostError, ProtocolError } from './errors.js'
import type { Exchange } from './exchange.js'
import { CREDIT, STOP } from './wire.js'

/** How a stream of the other side looks: iterate it, or take single values; `cancel()` or leaving a loop stops it. */
export interface RemoteStream<out T> extends AsyncIterableIterator<T> {
  /** Stops the producer, whose `finally` runs. Idempotent; never rejects. The `reason` is not told to it. */
  cancel(reason?: unknown): Promise<void>
}

interface Waiting {
  readonly resolve: (result: IteratorResult<unknown>) => void
  readonly reject: (error: unknown) => void
  /** Keeps the reader from being collected while somebody waits for its next value. */
  readonly reader: StreamReader
}

const abandoned = new FinalizationRegistry<ConsumedStream>((stream) => {
  stream.stop()
})

/** Our end of a stream that the peer produces; holds what has come and was not read yet. Never holds its reader. */
export class ConsumedStream {
  readonly #exchange: Exchange
  readonly #id: number
  readonly #over: () => void
  #values: { readonly value: unknown; readonly size: number }[] = []
  #waiting: Waiting[] = []
  /** What the peer may still send, in bytes. */
  #credit = 0
  /** What has been read and not been granted again. */
  #readBytes = 0
  #isOver = false
  /** What the next read after the last value rejects with. */
  #error: unknown = null

  constructor(exchange: Exchange, id: number, over: () => void) {
    this.#exchange = exchange
    this.#id = id
    this.#over = over
  }

  reader(): StreamReader {
    const reader = new StreamReader(this)
    abandoned.register(reader, this)
    return reader
  }

  /** @throws ProtocolError - the peer sends more than was granted. */
  push(value: unknown, size: number): void {
    if (this.#credit <= 0) throw new ProtocolError('a stream that sends more than was granted')
    this.#credit -= size
    const waiting = this.#waiting.shift()
    if (waiting === undefined) {
      this.#values.push({ value, size })
      return
    }
    this.#read(size)
    waiting.resolve({ done: false, value })
  }

  end(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#over()
    this.#error = error
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (this.#error === null) resolve(DONE)
      else reject(this.#takeError())
    }
  }

  /** A value that came cannot be received: the stream ends here, after those that came before. */
  refuse(error: unknown): void {
    this.#exchange.outbox.say(`[${STOP},${this.#id}]`)
    this.end(error)
  }

  /** The connection has ended. */
  lost(reason: string): void {
    this.end(
      new ConnectionLostError(`the connection ended before the stream: ${reason}`, 'unknown'),
    )
  }

  /** Wants no more; what has come and was not read is dropped. */
  stop(): void {
    this.#values = []
    this.#error = null
    if (this.#isOver) return
    this.#exchange.outbox.say(`[${STOP},${this.#id}]`)
    this.end(null)
  }

  next(reader: StreamReader): Promise<IteratorResult<unknown>> {
    const next = this.#values.shift()
    if (next !== undefined) {
      this.#read(next.size)
      return Promise.resolve({ done: false, value: next.value })
    }
    if (this.#error !== null) return Promise.reject(this.#takeError())
    if (this.#isOver) return Promise.resolve(DONE)
    const { streamWindowBytes } = this.#exchange.limits
    if (this.#credit === 0 && this.#readBytes === 0) this.#grant(streamWindowBytes)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject, reader })
    })
  }

  #read(size: number): void {
    this.#readBytes += size
    // Half a window at once: the producer goes on meanwhile, and half of the messages are saved.
    if (this.#isOver || this.#readBytes * 2 < this.#exchange.limits.streamWindowBytes) return
    const bytes = this.#readBytes
    this.#readBytes = 0
    this.#grant(bytes)
  }

  #grant(bytes: number): void {
    this.#credit += bytes
    this.#exchange.outbox.say(`[${CREDIT},${this.#id},${bytes}]`)
  }

  /** An error is told once; the stream is at its end afterwards, as a generator is. */
  #takeError(): unknown {
    const error = this.#error
    this.#error = null
    return error
  }
}

const DONE: IteratorResult<unknown> = Object.freeze({ done: true, value: undefined })

/** What the application holds of a stream; when it lets go, the stream stops. */
export class StreamReader implements RemoteStream<unknown> {
  readonly #stream: ConsumedStream

  constructor(stream: ConsumedStream) {
    this.#stream = stream
  }

  next(): Promise<IteratorResult<unknown>> {
    return this.#stream.next(this)
  }

  return(): Promise<IteratorResult<unknown>> {
    this.#stream.stop()
    return Promise.resolve(DONE)
  }

  async cancel(): Promise<void> {
    await this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
