/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Handles: what stands for an object or function of the other side. A proxy that calls the peer for every name but
 * the reserved ones, so that `await`, logging, React or a test library never do so by accident.
 */
import {
  type CallOptions,
  type RemoteRecord,
  collected,
  kOptions,
  kRecord,
  recordOf,
} from './remote-record.js'
import { isReservedName } from './reserved-names.js'

const kInspect = Symbol.for('nodejs.util.inspect.custom')

/** Answers, without the peer, what a handle's own members are. */
class LocalMembers implements ProxyHandler<object> {
  readonly #record: RemoteRecord
  readonly #options: CallOptions | undefined
  /** The handle that this one is a view of: as long as the view lives, so does the reference. */
  readonly #original: object | undefined
  #methods: Map<string, unknown> | null = null

  constructor(record: RemoteRecord, options?: CallOptions, original?: object) {
    this.#record = record
    this.#options = options
    this.#original = original
  }

  get(target: object, name: string | symbol, receiver: object): unknown {
    if (typeof name === 'symbol') {
      switch (name) {
        case kRecord:
          return this.#record
        case kOptions:
          return this.#options
        case Symbol.toStringTag:
          return 'RemoteReference'
        case Symbol.toPrimitive:
          return () => this.#record.describe()
        case Symbol.dispose:
          return () => {
            this.#record.owner.release(this.#record)
          }
        default:
          return Reflect.get(target, name)
      }
    }
    if (isReservedName(name)) return this.#reserved(target, name, receiver)
    // A function has no methods over there; `call`, `bind` and `length` are what they are of any function.
    if (this.#record.isFunction) return Reflect.get(target, name)
    let method = this.#methods?.get(name)
    if (method === undefined) {
      const record = this.#record
      const quoted = JSON.stringify(name)
      // The closure holds the handle: `const { say } = ref` keeps the reference alive.
      method = (...args: unknown[]) =>
        record.owner.call(record, quoted, args, receiver, this.#options)
      this.#methods ??= new Map()
      this.#methods.set(name, method)
    }
    return method
  }

  #reserved(target: object, name: string, receiver: object): unknown {
    switch (name) {
      case 'toString':
      case 'toLocaleString':
      case 'toJSON':
        return () => this.#record.describe()
      case 'valueOf':
        return () => receiver
      case 'then':
      case 'prototype':
        return undefined
      default:
        return Reflect.get(target, name)
    }
  }

  apply(_target: object, receiver: unknown, args: unknown[]): unknown {
    const handle = this.#original ?? this.#record.liveHandle() ?? (receiver as object)
    return this.#record.owner.call(this.#record, '""', args, handle, this.#options)
  }

  set(target: object, name: string | symbol, value: unknown): boolean {
    // Vue's markRaw and its like leave their marks; nothing else is writable.
    if (typeof name === 'symbol' || name.startsWith('_')) return Reflect.set(target, name, value)
    throw new TypeError(
      `${this.#record.describe()} is read-only: cannot set ${JSON.stringify(name)}`,
    )
  }

  deleteProperty(target: object, name: string | symbol): boolean {
    if (typeof name === 'symbol' || name.startsWith('_'))
      return Reflect.deleteProperty(target, name)
    throw new TypeError(
      `${this.#record.describe()} is read-only: cannot delete ${JSON.stringify(name)}`,
    )
  }

  defineProperty(target: object, name: string | symbol, descriptor: PropertyDescriptor): boolean {
    if (typeof name === 'symbol' || name.startsWith('_'))
      return Reflect.defineProperty(target, name, descriptor)
    throw new TypeError(
      `${this.#record.describe()} is read-only: cannot define ${JSON.stringify(name)}`,
    )
  }
}

/** What Node prints for a handle: it looks past the proxy at the target, with the proxy as `this`. */
function inspectHandle(this: object): string {
  return recordOf(this)?.describe() ?? 'RemoteReference'
}

// A prototype of its own: a handle never passes for a plain object.
class RemoteReference {
  static {
    Object.defineProperty(this.prototype, kInspect, { value: inspectHandle })
  }
}

/** Makes the handle of a record and watches for its collection; the root's is never watched. */
export function createHandle(record: RemoteRecord): object {
  const handle = new Proxy<object>(targetOf(record), new LocalMembers(record))
  record.setHandle(handle)
  if (record.id !== 0) collected.register(handle, record)
  return handle
}

/** A second handle of a record, whose calls have options. It is not `===` the first, and sent home it is the same object. */
export function createView(record: RemoteRecord, options: CallOptions, original: object): object {
  return new Proxy<object>(targetOf(record), new LocalMembers(record, options, original))
}

function targetOf(record: RemoteRecord): object {
  if (!record.isFunction) return new RemoteReference()
  // An arrow function has no `prototype` of its own, which a proxy would have to report as it is.
  const target = (): undefined => undefined
  return Object.defineProperty(target, kInspect, { value: inspectHandle, configurable: true })
}
