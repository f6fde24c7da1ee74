/** Turns tagged values back, in place. Whatever is malformed is the peer's breach of protocol. */
import { bytesToValue } from './bytes.js'
import { errorFromParts } from './error-values.js'
import { CallError, type PerspectiveError, ProtocolError } from './errors.js'
import type { Exchange } from './exchange.js'
import { cut } from './frame.js'
import { isMisleading, isNatural, isRecord, setOwn } from './plain-value.js'
import { recordOf } from './remote-record.js'
import { StreamReader } from './stream-consumer.js'
import {
  ROOT_ID,
  TAG_BIGINT,
  TAG_BYTES,
  TAG_COPY,
  TAG_DATE,
  TAG_ERROR,
  TAG_FUNCTION,
  TAG_HOME,
  TAG_LITERAL,
  TAG_MAP,
  TAG_MIRROR,
  TAG_NUMBER,
  TAG_OBJECT,
  TAG_SET,
  TAG_SIGNAL,
  TAG_STREAM,
  TAG_UNDEFINED,
} from './wire.js'

const NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
])

/** So far below the limit on depth a value is still looked at, for what it introduces has to be given back. */
const MOST_BELOW = 1000

export class Decoder {
  readonly #exchange: Exchange
  /** Those that no tag has spoken of yet. */
  #bytes: Uint8Array
  #taken: object[] | null = null
  #signals: number[] | null = null
  #refusal: PerspectiveError | null = null

  /** `bytes`: those of the one message whose values are decoded. */
  constructor(exchange: Exchange, bytes: Uint8Array) {
    this.#exchange = exchange
    this.#bytes = bytes
  }

  /**
   * Decodes one value; the parsed JSON is the decoder's to change.
   *
   * @throws ProtocolError - a tag that is none, of a wrong form, or an id never given.
   */
  decode(value: unknown, depth: number = this.#exchange.limits.maxDepth): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (depth < -MOST_BELOW) throw new ProtocolError('a value nested beyond all measure')
    if (Array.isArray(value)) {
      const list = value as unknown[]
      const first = list[0]
      return typeof first === 'string' && first.startsWith('$')
        ? this.#tag(first, list, depth)
        : this.#items(list, depth)
    }
    this.#enter(depth)
    for (const key of Object.keys(value)) {
      const item = (value as Record<string, unknown>)[key]
      const decoded = this.decode(item, depth - 1)
      if (decoded === item) continue
      if (isMisleading(key, decoded)) {
        throw new ProtocolError(`a function called ${key} in data`)
      }
      setOwn(value, key, decoded)
    }
    return value
  }

  /** What the message is refused with as a whole, where it is well formed and too much. */
  get refusal(): PerspectiveError | null {
    return this.#refusal
  }

  /** The message was refused: what it has introduced goes back at once, and nobody waits for the collector. */
  giveBack(): void {
    const { tables, signals } = this.#exchange
    for (const value of this.#taken ?? []) {
      const record = recordOf(value)
      if (record !== null) tables.giveBack(record)
      else if (value instanceof StreamReader) void value.return()
    }
    for (const id of this.#signals ?? []) signals.forgottenByPeer(id)
  }

  #enter(depth: number): void {
    if (depth > 0) return
    this.#refuse(`a value nested deeper than ${this.#exchange.limits.maxDepth}`)
  }

  #refuse(message: string): void {
    this.#refusal ??= new CallError('PB_ERR_LIMIT_VALUE', message)
  }

  #take(receive: () => object): object | undefined {
    try {
      const value = receive()
      this.#taken ??= []
      this.#taken.push(value)
      return value
    } catch (error) {
      if (error instanceof ProtocolError) throw error
      // Anything else is our own: a schema that throws.
      this.#refusal ??=
        error instanceof CallError
          ? error
          : this.#exchange.failures.publicError(error, 'the schema of a copy')
      return undefined
    }
  }

  /** Whether all bytes of the message have found their tags. */
  get isExhausted(): boolean {
    return this.#bytes.byteLength === 0
  }

  #items(list: unknown[], depth: number): unknown[] {
    this.#enter(depth)
    for (let index = 0; index < list.length; index++)
      list[index] = this.decode(list[index], depth - 1)
    return list
  }

  #tag(tag: string, list: unknown[], depth: number): unknown {
    if (tag === TAG_LITERAL) return this.#items(list.slice(1), depth)
    const [, first, second, third] = list
    const arity = list.length - 1
    switch (tag) {
      case TAG_UNDEFINED:
        if (arity === 0) return undefined
        break
      case TAG_NUMBER:
        if (arity === 1 && NUMBERS.has(first)) return NUMBERS.get(first)
        break
      case TAG_DATE:
        if (arity === 1 && (first === null || typeof first === 'number'))
          return new Date(first ?? NaN)
        break
      case TAG_BIGINT:
        if (arity === 1 && typeof first === 'string') return this.#bigint(first)
        break
      case TAG_MAP:
        if (arity === 1 && Array.isArray(first)) return this.#map(first as unknown[], depth)
        break
      case TAG_SET:
        if (arity === 1 && Array.isArray(first))
          return new Set(this.#items(first as unknown[], depth))
        break
      case TAG_BYTES:
        if (arity === 2) return this.#byteValue(first, second)
        break
      case TAG_ERROR:
        if (
          arity === 3 &&
          typeof first === 'string' &&
          typeof second === 'string' &&
          Array.isArray(third)
        ) {
          return errorFromParts(first, second, this.#properties(third as unknown[], depth))
        }
        break
      case TAG_OBJECT:
      case TAG_FUNCTION:
        if (arity === 1 && isNatural(first)) {
          return this.#take(() => this.#exchange.tables.receive(first, tag === TAG_FUNCTION))
        }
        break
      case TAG_MIRROR:
        if (arity === 2 && isNatural(first) && first !== ROOT_ID) {
          const state = this.decode(second, depth - 1)
          return this.#take(() => this.#exchange.tables.receiveMirror(first, state))
        }
        break
      case TAG_STREAM:
        if (arity === 1 && isNatural(first))
          return this.#take(() => this.#exchange.streams.consume(first))
        break
      case TAG_SIGNAL:
        if (arity === 1 && isNatural(first) && first > 0) return this.#signal(first)
        if (arity === 2 && first === 0) return AbortSignal.abort(this.decode(second, depth - 1))
        break
      case TAG_COPY:
        if (arity === 2 && typeof first === 'string' && isRecord(second)) {
          // A copy and its state are one object, and one level.
          const state = this.decode(second, depth)
          return this.#take(() => this.#exchange.copies.make(first, state))
        }
        break
      case TAG_HOME:
        if (arity === 1 && isNatural(first)) {
          const object = this.#exchange.tables.exportedObject(first)
          if (object !== null) return object
          if (first === ROOT_ID) {
            // The peer may not have heard yet that there is none.
            this.#refusal ??= new CallError('PB_ERR_REF_DEAD', 'there is no root on this side')
            return undefined
          }
        }
        break
    }
    throw new ProtocolError('a tag that is malformed or unknown')
  }

  #signal(id: number): object | undefined {
    const { signals } = this.#exchange
    const known = signals.receivedCount
    const signal = this.#take(() => signals.receive(id))
    if (signals.receivedCount > known) {
      this.#signals ??= []
      this.#signals.push(id)
    }
    return signal
  }

  #bigint(digits: string): bigint | undefined {
    if (!/^-?\d+$/.test(digits)) throw new ProtocolError('a bigint that is not one')
    const { maxBigintDigits } = this.#exchange.limits
    if (digits.length > maxBigintDigits) {
      this.#refuse(`a bigint of more than ${maxBigintDigits} digits`)
      return undefined
    }
    return BigInt(digits)
  }

  #map(pairs: unknown[], depth: number): Map<unknown, unknown> {
    return new Map(this.#pairs(pairs, depth))
  }

  #properties(pairs: unknown[], depth: number): [string, unknown][] {
    return this.#pairs(pairs, depth).map(([key, value]) => {
      if (typeof key !== 'string') throw new ProtocolError('a property name that is not text')
      if (isMisleading(key, value)) throw new ProtocolError(`a function called ${key} in an error`)
      return [key, value]
    })
  }

  #pairs(pairs: unknown[], depth: number): [unknown, unknown][] {
    this.#enter(depth)
    return pairs.map((pair) => {
      if (!Array.isArray(pair) || pair.length !== 2)
        throw new ProtocolError('a pair that is not one')
      return [this.decode(pair[0], depth - 1), this.decode(pair[1], depth - 1)]
    })
  }

  #byteValue(kind: unknown, length: unknown): object {
    const [bytes, rest] = cut(this.#bytes, length)
    this.#bytes = rest
    const value = bytesToValue(kind, bytes)
    if (value === null) throw new ProtocolError('bytes of an unknown kind or a wrong length')
    return value
  }
}
