import { CallError, ProtocolError } from './errors.js'
import type { Exchange } from './exchange.js'
import { CHUNK, END, FAIL } from './wire.js'

/** What of a `ReadableStream` is used; not its async iteration, which Safari has not. */
interface ReadableStreamLike {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: unknown }>
    cancel(reason?: unknown): Promise<void>
    releaseLock(): void
  }
}
export type StreamSource = AsyncIterable<unknown> | ReadableStreamLike

/** Tells what crosses as a stream: an async iterable or a `ReadableStream`. */
export function isStreamSource(value: object): value is StreamSource {
  // A call's promise can be iterated, too, and has to be awaited first.
  if (value instanceof Promise) return false
  return (
    typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function' ||
    (typeof (value as Partial<ReadableStreamLike>).getReader === 'function' &&
      Object.prototype.toString.call(value) === '[object ReadableStream]')
  )
}

/** Our end of a stream that the peer reads. */
export class StreamProducer {
  readonly #exchange: Exchange
  readonly #id: number
  readonly #source: StreamSource
  readonly #over: () => void
  #iterator: AsyncIterator<unknown> | null = null
  #credit = 0
  /** What may be sent until the next grant without letting others run; a peer with a wide window must not starve them. */
  #unpaused = 0
  #isPumping = false
  #isOver = false

  constructor(exchange: Exchange, id: number, source: StreamSource, over: () => void) {
    this.#exchange = exchange
    this.#id = id
    this.#source = source
    this.#over = over
  }

  /** @throws ProtocolError - more than anybody could mean. */
  grant(bytes: number): void {
    this.#credit += bytes
    if (this.#credit > Number.MAX_SAFE_INTEGER) throw new ProtocolError('credit beyond all bounds')
    this.#unpaused = this.#exchange.limits.streamWindowBytes
    if (!this.#isPumping) void this.#pump()
  }

  /** The consumer wants no more, or has gone: the source's `return` runs, its `finally` with it. */
  stop(): void {
    if (this.#isOver) return
    this.#end()
    putAway(this.#iterator, this.#source)
  }

  async #pump(): Promise<void> {
    this.#isPumping = true
    try {
      const iterator = (this.#iterator ??= iteratorOf(this.#source))
      while (this.#credit > 0) {
        const { done, value } = (await iterator.next()) as IteratorResult<unknown, unknown>
        if (this.#isOver) return
        if (done === true) {
          this.#end()
          this.#exchange.outbox.say(`[${END},${this.#id}]`)
          return
        }
        if (!this.#sayChunk(value)) return
        if (this.#unpaused > 0) continue
        await new Promise<void>((resolve) => void setTimeout(resolve, 0))
        this.#unpaused = this.#exchange.limits.streamWindowBytes
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isPumping = false
    }
  }

  #sayChunk(value: unknown): boolean {
    try {
      const size = this.#exchange.sayValue(CHUNK, `${this.#id},`, value, 'chunk')
      this.#credit -= size
      this.#unpaused -= size
      this.#exchange.outbox.linger()
      return true
    } catch (error) {
      this.#fail(error, error instanceof CallError ? error : undefined)
      return false
    }
  }

  /** `shown`: what the peer is told, where that is no secret of the source. */
  #fail(error: unknown, shown?: CallError): void {
    if (this.#isOver) return
    this.#end()
    // Where a value could not cross the source does not know yet that it is over.
    putAway(this.#iterator, this.#source)
    const { failures } = this.#exchange
    this.#exchange.sayError(FAIL, this.#id, shown ?? failures.publicError(error, 'stream'))
  }

  #end(): void {
    this.#isOver = true
    this.#over()
  }
}

function iteratorOf(source: StreamSource): AsyncIterator<unknown> {
  return 'getReader' in source ? readerOf(source) : source[Symbol.asyncIterator]()
}

function readerOf(source: ReadableStreamLike): AsyncIterator<unknown> {
  const reader = source.getReader()
  return {
    next: async () => {
      const { done, value } = await reader.read()
      return { done, value }
    },
    return: async () => {
      await reader.cancel()
      reader.releaseLock()
      return { done: true, value: undefined }
    },
  }
}

/** Lets a source clean up. One that throws meanwhile has nobody left to tell. */
function putAway(iterator: AsyncIterator<unknown> | null, source: StreamSource): void {
  void (async () => {
    await (iterator ?? iteratorOf(source)).return?.()
  })().catch(() => undefined)
}
