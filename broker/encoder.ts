/**
 * Turns a value that JSON cannot say into one that it can, with tags in it. What holds nothing special is handed
 * through uncopied.
 */
import { bytesOf } from './bytes.js'
import { propertiesOfError } from './error-values.js'
import { CallError, UnsendableError } from './errors.js'
import type { Limits } from './limits.js'
import type { ExportEntry, ReferenceTables } from './reference-tables.js'
import {
  TAG_BIGINT,
  TAG_BYTES,
  TAG_DATE,
  TAG_ERROR,
  TAG_LITERAL,
  TAG_MAP,
  TAG_NUMBER,
  TAG_SET,
  TAG_UNDEFINED,
} from './wire.js'

/** One message's worth of encoding; made for each message that needs it. */
export class Encoder {
  readonly #tables: ReferenceTables
  readonly #limits: Limits
  readonly #path: (string | number)[] = []
  readonly #introduced: ExportEntry[] = []
  readonly bytes: Uint8Array[] = []
  byteCount = 0

  constructor(tables: ReferenceTables, limits: Limits) {
    this.#tables = tables
    this.#limits = limits
  }

  /**
   * Encodes one value; `name` begins the path in errors. The path is this encoder's for the next value, too.
   *
   * @throws UnsendableError - something in it cannot cross; the message has the path.
   * @throws CallError `PB_ERR_LIMIT_REFERENCES`, DeadReferenceError - a reference in it cannot be sent.
   */
  encode(value: unknown, name: string | number): unknown {
    this.#path.push(name)
    const encoded = this.#value(value, this.#limits.maxDepth)
    this.#path.pop()
    return encoded
  }

  /** Undoes what this message introduced: it is not sent after all. */
  takeBack(): void {
    this.#tables.takeBack(this.#introduced)
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
        return this.#reference(value)
      default:
        return value === null ? null : this.#object(value as object, depth)
    }
  }

  #bigint(value: bigint): [string, string] {
    const digits = value.toString()
    if (digits.length > this.#limits.maxBigintDigits) {
      throw new CallError(
        'PB_ERR_LIMIT_VALUE',
        `${this.#where()}: a bigint of ${String(digits.length)} digits, over limits.maxBigintDigits`,
      )
    }
    return [TAG_BIGINT, digits]
  }

  #reference(value: object): [string, number] {
    const reference = this.#tables.introduce(value, this.#introduced)
    if (reference === null) throw this.#unsendable(describe(value))
    return reference
  }

  #object(value: object, depth: number): unknown {
    if (depth === 0) {
      throw new CallError(
        'PB_ERR_LIMIT_VALUE',
        `${this.#where()}: nested deeper than ${String(this.#limits.maxDepth)} (limits.maxDepth), or a cycle`,
      )
    }
    if (Array.isArray(value)) return this.#array(value as unknown[], depth)
    const prototype = Object.getPrototypeOf(value) as object | null
    if (isDataPrototype(prototype)) return this.#record(value as Record<string, unknown>, depth)
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
        return this.#error(value as Error, depth)
    }
    const view = bytesOf(value)
    if (view === null) return this.#reference(value)
    this.bytes.push(view.bytes)
    this.byteCount += view.bytes.byteLength
    return [TAG_BYTES, view.kind, view.bytes.byteLength]
  }

  #array(list: unknown[], depth: number): unknown[] {
    const encoded = this.#items(list, depth)
    const first = list[0]
    return typeof first === 'string' && first.startsWith('$') ? [TAG_LITERAL, ...encoded] : encoded
  }

  #items(list: unknown[], depth: number): unknown[] {
    let copy: unknown[] | null = null
    for (let index = 0; index < list.length; index++) {
      const encoded = this.#at(index, list[index], depth)
      if (copy !== null) copy.push(encoded)
      else if (encoded !== list[index]) copy = [...list.slice(0, index), encoded]
    }
    return copy ?? list
  }

  #pairs(map: Map<unknown, unknown>, depth: number): unknown[] {
    return [...map].map(([key, value], index) => [
      this.#at(`keys()[${String(index)}]`, key, depth),
      this.#at(`values()[${String(index)}]`, value, depth),
    ])
  }

  #record(record: Record<string, unknown>, depth: number): Record<string, unknown> {
    const keys = Object.keys(record)
    if (keys.length === 0 && Object.getOwnPropertySymbols(record).length > 0) {
      throw this.#unsendable('an object whose only keys are symbols')
    }
    const copy: Record<string, unknown> = {}
    for (const key of keys) {
      const value = record[key]
      if (typeof value === 'function' && (key === 'then' || key === 'toJSON')) {
        throw this.#unsendable(`a function called ${key}, which would change what the object is,`)
      }
      const encoded = this.#at(key, value, depth)
      // Data like any other; an assignment would set the prototype.
      if (key === '__proto__')
        Object.defineProperty(copy, key, { value: encoded, enumerable: true })
      else copy[key] = encoded
    }
    return copy
  }

  #error(error: Error, depth: number): unknown[] {
    const properties: unknown[] = []
    for (const [key, value] of propertiesOfError(error)) {
      const before = {
        bytes: this.bytes.length,
        byteCount: this.byteCount,
        introduced: this.#introduced.length,
        path: this.#path.length,
      }
      try {
        properties.push([key, this.#at(key, value, depth)])
      } catch {
        // An error that says less is better than none: what cannot cross is left out, whole.
        this.#tables.takeBack(this.#introduced.splice(before.introduced))
        this.bytes.length = before.bytes
        this.byteCount = before.byteCount
        this.#path.length = before.path
      }
    }
    const { name, message }: { name: unknown; message: unknown } = error
    return [TAG_ERROR, String(name), String(message), properties]
  }

  #at(step: string | number, value: unknown, depth: number): unknown {
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
        typeof step === 'number' ? `[${String(step)}]` : index === 0 ? step : `.${step}`,
      )
      .join('')
  }
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
