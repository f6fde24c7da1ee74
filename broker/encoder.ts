/**
 * Turns a value that JSON cannot say into one that it can, with tags in it. What holds nothing special is handed
 * through uncopied.
 */
import { bytesOf } from './bytes.js'
import { propertiesOfError } from './error-values.js'
import { CallError, UnsendableError } from './errors.js'
import type { Cacheable } from './cacheable.js'
import type { Exchange } from './exchange.js'
import { isReferenceable } from './exposure.js'
import { isMisleading, setOwn } from './plain-value.js'
import type { ExportEntry } from './reference-tables.js'
import { type AbortSignalLike, isAbortSignal, reasonToSend } from './signals.js'
import { isStreamSource } from './stream-producer.js'
import {
  TAG_BIGINT,
  TAG_BYTES,
  TAG_COPY,
  TAG_DATE,
  TAG_ERROR,
  TAG_LITERAL,
  TAG_MAP,
  TAG_MIRROR,
  TAG_NUMBER,
  TAG_SET,
  TAG_SIGNAL,
  TAG_STREAM,
  TAG_UNDEFINED,
} from './wire.js'

/** One message's worth of encoding; made for each message that needs it. */
export class Encoder {
  readonly #exchange: Exchange
  readonly #path: (string | number)[] = []
  readonly #introduced: ExportEntry[] = []
  readonly #streams: number[] = []
  /** The errors that are being told, one inside the other. */
  readonly #errors: Error[] = []
  /** Signals that were met. */
  signals: AbortSignalLike[] | null = null
  readonly bytes: Uint8Array[] = []
  byteCount = 0
  /** Parts met so far; each takes a byte at least. */
  #nodes = 0

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  /**
   * Encodes one value; `name` begins the path in errors. The path is this encoder's for the next value, too.
   *
   * @throws UnsendableError - something in it cannot cross; the message has the path.
   * @throws CallError `PB_ERR_LIMIT_REFERENCES`, DeadReferenceError - a reference in it cannot be sent.
   */
  encode(value: unknown, name: string | number): unknown {
    this.#path.push(name)
    const encoded = this.#value(value, this.#exchange.limits.maxDepth)
    this.#path.pop()
    return encoded
  }

  /** Undoes what this message introduced, or the last of it: it is not sent after all. */
  takeBack(introducedFrom = 0, streamsFrom = 0): void {
    this.#exchange.tables.takeBack(this.#introduced.splice(introducedFrom))
    for (const id of this.#streams.splice(streamsFrom)) this.#exchange.streams.takeBack(id)
  }

  #value(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        if (Number.isFinite(value) && !Object.is(value, -0)) return value
        return [TAG_NUMBER, Object.is(value, -0) ? '-0' : String(value)]
      case 'undefined':
        return [TAG_UNDEFINED]
      case 'bigint':
        return this.#bigint(value)
      case 'symbol':
        throw this.#unsendable('a symbol')
      case 'function':
        return this.#reference(value, depth)
      default:
        return value === null ? null : this.#object(value as object, depth)
    }
  }

  #bigint(value: bigint): [string, string] {
    const digits = value.toString()
    if (digits.length > this.#exchange.limits.maxBigintDigits) {
      throw new CallError(
        'PB_ERR_LIMIT_VALUE',
        `${this.#where()}: a bigint of ${digits.length} digits, over limits.maxBigintDigits`,
      )
    }
    return [TAG_BIGINT, digits]
  }

  /** Whatever is no data: it stays where it is, or is of a kind with a form of its own. */
  #reference(value: object, depth: number): unknown[] {
    const reference = this.#exchange.tables.introduce(value, this.#introduced)
    if (reference !== null) {
      const [tag, id] = reference
      if (tag !== TAG_MIRROR) return reference
      const state = this.#exchange.mirrors.show(id, value as Cacheable<unknown>)
      return [tag, id, this.#at('state', state, depth)]
    }
    if (isAbortSignal(value)) return this.#signal(value, depth)
    const copy = this.#exchange.copies.stateOf(value, this.#exchange.root)
    if (copy !== null)
      return [TAG_COPY, copy.type, this.#record(copy.state as Record<string, unknown>, depth)]
    if (!isStreamSource(value)) throw this.#unsendable(describe(value))
    const id = this.#exchange.streams.produce(value)
    this.#streams.push(id)
    return [TAG_STREAM, id]
  }

  #signal(signal: AbortSignalLike, depth: number): unknown[] {
    this.signals ??= []
    this.signals.push(signal)
    if (!signal.aborted) return [TAG_SIGNAL, this.#exchange.signals.idOf(signal)]
    // That it has aborted matters more than why.
    const reason = this.#optional('reason', () => reasonToSend(signal), depth)
    return [TAG_SIGNAL, 0, reason ?? [TAG_UNDEFINED]]
  }

  #object(value: object, depth: number): unknown {
    if (Array.isArray(value)) return this.#array(value as unknown[], depth)
    const prototype = Object.getPrototypeOf(value) as object | null
    if (isDataPrototype(prototype) && !isLiteralWithMeaning(value))
      return this.#record(value as Record<string, unknown>, depth)
    switch (Object.prototype.toString.call(value)) {
      case '[object Date]': {
        const time = (value as Date).getTime()
        return [TAG_DATE, Number.isNaN(time) ? null : time]
      }
      case '[object Map]':
        return [TAG_MAP, this.#pairs(value as Map<unknown, unknown>, depth)]
      case '[object Set]':
        return [TAG_SET, this.#items([...(value as Set<unknown>)], depth)]
      case '[object Error]':
      case '[object DOMException]':
        return this.#error(value as Error, depth)
    }
    const view = bytesOf(value)
    if (view === null) return this.#reference(value, depth)
    this.bytes.push(view.bytes)
    this.byteCount += view.bytes.byteLength
    return [TAG_BYTES, view.kind, view.bytes.byteLength]
  }

  #enter(depth: number): void {
    if (depth > 0) return
    throw new CallError(
      'PB_ERR_LIMIT_VALUE',
      `${this.#where()}: nested deeper than ${this.#exchange.limits.maxDepth} (limits.maxDepth), or a cycle`,
    )
  }

  #array(list: unknown[], depth: number): unknown[] {
    const encoded = this.#items(list, depth)
    const first = list[0]
    return typeof first === 'string' && first.startsWith('$') ? [TAG_LITERAL, ...encoded] : encoded
  }

  #items(list: unknown[], depth: number): unknown[] {
    this.#enter(depth)
    let copy: unknown[] | null = null
    for (let index = 0; index < list.length; index++) {
      const encoded = this.#at(index, list[index], depth)
      if (copy !== null) copy.push(encoded)
      else if (encoded !== list[index]) copy = [...list.slice(0, index), encoded]
    }
    return copy ?? list
  }

  #pairs(map: Map<unknown, unknown>, depth: number): unknown[] {
    this.#enter(depth)
    return [...map].map(([key, value], index) => [
      this.#at(`keys()[${index}]`, key, depth),
      this.#at(`values()[${index}]`, value, depth),
    ])
  }

  #record(record: Record<string, unknown>, depth: number): Record<string, unknown> {
    this.#enter(depth)
    const keys = Object.keys(record)
    if (keys.length === 0 && Object.getOwnPropertySymbols(record).length > 0) {
      throw this.#unsendable('an object whose only keys are symbols')
    }
    const copy: Record<string, unknown> = {}
    for (const key of keys) {
      const value = record[key]
      if (isMisleading(key, value)) {
        throw this.#unsendable(`a function called ${key}, which would change what the object is,`)
      }
      const encoded = this.#at(key, value, depth)
      // Most keys by assignment, which is faster.
      if (key === '__proto__') setOwn(copy, key, encoded)
      else copy[key] = encoded
    }
    return copy
  }

  #error(error: Error, depth: number): unknown[] {
    this.#enter(depth)
    // What cannot cross is left out of an error, so that two in one another would be told again at every level.
    if (this.#errors.includes(error)) throw this.#unsendable('an error inside itself')
    this.#errors.push(error)
    const properties: unknown[] = []
    for (const key of propertiesOfError(error)) {
      // An error that says less is better than none.
      const read = (): unknown => (error as unknown as Record<string, unknown>)[key]
      const encoded = this.#optional(key, read, depth)
      if (encoded !== undefined) properties.push([key, encoded])
    }
    this.#errors.pop()
    const { name, message }: { name: unknown; message: unknown } = error
    return [TAG_ERROR, String(name), String(message), properties]
  }

  /** Encodes what is left out, whole, where it cannot cross: undefined then. */
  #optional(step: string, read: () => unknown, depth: number): unknown {
    const { byteCount } = this
    const [bytes, path] = [this.bytes.length, this.#path.length]
    const [introduced, streams] = [this.#introduced.length, this.#streams.length]
    const errors = this.#errors.length
    try {
      const value = read()
      return isMisleading(step, value) ? undefined : this.#at(step, value, depth)
    } catch {
      this.takeBack(introduced, streams)
      this.bytes.length = bytes
      this.byteCount = byteCount
      this.#path.length = path
      this.#errors.length = errors
      return undefined
    }
  }

  #at(step: string | number, value: unknown, depth: number): unknown {
    const { maxFrameBytes } = this.#exchange.limits
    if (++this.#nodes > maxFrameBytes) {
      throw new CallError('PB_ERR_LIMIT_FRAME', `a value of more than ${maxFrameBytes} parts`)
    }
    this.#path.push(step)
    const encoded = this.#value(value, depth - 1)
    this.#path.pop()
    return encoded
  }

  #unsendable(what: string): UnsendableError {
    return new UnsendableError(
      `${this.#where()}: ${what} cannot cross; send plain data, or an object that extends Referenceable`,
    )
  }

  #where(): string {
    return this.#path
      .map((step, index) =>
        typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`,
      )
      .join('')
  }
}

/** A literal that was declared a reference, or that is an async iterable. */
function isLiteralWithMeaning(value: object): boolean {
  return Symbol.asyncIterator in value || isReferenceable(value)
}

/** Plain data of any realm: an iframe's or a vm's `Object.prototype` has the same members and no prototype of its own. */
function isDataPrototype(prototype: object | null): boolean {
  return (
    prototype === null ||
    prototype === Object.prototype ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty'))
  )
}

function describe(value: object): string {
  if (typeof value === 'function') return 'a function'
  if (value instanceof Promise) return 'a promise (await it first)'
  const { constructor } = Object.getPrototypeOf(value) as { constructor?: unknown }
  return typeof constructor === 'function' && constructor.name !== ''
    ? `an instance of ${constructor.name}`
    : 'an object of a class'
}
