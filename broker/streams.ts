/**
 * Streams: values that come one after the other. The consumer grants bytes, the producer sends while some are left, so a
 * slow reader stalls its own stream and nothing else. Nothing is produced before the consumer first asks.
 */
import { CallError, type PerspectiveError, ProtocolError, errorFromWire } from './errors.js'
import type { Exchange } from './exchange.js'
import { ConsumedStream, type StreamReader } from './stream-consumer.js'
import { type StreamSource, StreamProducer } from './stream-producer.js'
import { STOP } from './wire.js'

export class Streams {
  readonly #exchange: Exchange
  #produced: Map<number, StreamProducer> | null = null
  #consumed: Map<number, ConsumedStream> | null = null
  #lastProduced = 0
  #lastConsumed = 0

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  /** Streams open either way. */
  get count(): number {
    return (this.#produced?.size ?? 0) + (this.#consumed?.size ?? 0)
  }

  /**
   * Gives a source an id for the peer; nothing is read from it yet.
   *
   * @throws CallError `PB_ERR_LIMIT_STREAMS`
   */
  produce(source: StreamSource): number {
    this.#produced ??= new Map()
    if (this.#produced.size >= this.#exchange.limits.maxStreams) throw this.#tooMany()
    const id = ++this.#lastProduced
    const over = (): void => {
      this.#produced?.delete(id)
    }
    this.#produced.set(id, new StreamProducer(this.#exchange, id, source, over))
    return id
  }

  /** The message that was to introduce it was not sent. */
  takeBack(id: number): void {
    this.#produced?.get(id)?.stop()
  }

  /**
   * What stands for a stream of the peer's.
   *
   * @throws CallError `PB_ERR_LIMIT_STREAMS` - the peer has been told to stop it.
   */
  consume(id: number): StreamReader {
    if (id <= this.#lastConsumed) throw new ProtocolError('a stream whose id was used before')
    this.#lastConsumed = id
    this.#consumed ??= new Map()
    if (this.#consumed.size >= this.#exchange.limits.maxStreams) {
      this.#exchange.outbox.say(`[${STOP},${id}]`)
      throw this.#tooMany()
    }
    const stream = new ConsumedStream(this.#exchange, id, () => {
      this.#consumed?.delete(id)
    })
    this.#consumed.set(id, stream)
    return stream.reader()
  }

  /** A value of the peer's; of a stream that was stopped meanwhile it is dropped. */
  chunk(id: number, value: unknown, size: number): void {
    this.#consumedStream(id)?.push(value, size)
  }

  /** A value that cannot be received: the stream ends here. */
  refused(id: number, error: PerspectiveError): void {
    this.#consumedStream(id)?.refuse(error)
  }

  /** The peer's stream is at its end. */
  ended(id: number): void {
    this.#consumedStream(id)?.end(null)
  }

  failed(id: number, code: string, message: string, data: unknown): void {
    this.#consumedStream(id)?.end(errorFromWire(code, message, data))
  }

  credit(id: number, bytes: number): void {
    this.#producedStream(id)?.grant(bytes)
  }

  stopped(id: number): void {
    this.#producedStream(id)?.stop()
  }

  close(reason: string): void {
    const [produced, consumed] = [this.#produced, this.#consumed]
    this.#produced = null
    this.#consumed = null
    for (const stream of consumed?.values() ?? []) stream.lost(reason)
    for (const stream of produced?.values() ?? []) stream.stop()
  }

  #consumedStream(id: number): ConsumedStream | undefined {
    if (id > this.#lastConsumed) throw new ProtocolError('a stream that is not there')
    return this.#consumed?.get(id)
  }

  #producedStream(id: number): StreamProducer | undefined {
    if (id > this.#lastProduced) throw new ProtocolError('a stream that is not there')
    return this.#produced?.get(id)
  }

  #tooMany(): CallError {
    const { maxStreams } = this.#exchange.limits
    return new CallError(
      'PB_ERR_LIMIT_STREAMS',
      `${maxStreams} streams are open (limits.maxStreams)`,
    )
  }
}
