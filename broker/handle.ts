/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Handles: what stands for an object or function of the other side. A proxy that calls the peer for every name but
 * the reserved ones, so that `await`, logging, React or a test library never do so by accident.
 */
import type { RemotePromise } from './remote-types.js'
import { isReservedName } from './reserved-names.js'

/** One end of a connection, as its handles see it. */
export interface HandleOwner {
  /** Starts a call; the promise is born handled. `quotedMethod` is the name as JSON; `pin` stays reachable until the answer. */
  call(
    record: RemoteRecord,
    quotedMethod: string,
    args: unknown[],
    pin: object,
  ): RemotePromise<unknown>
  /** Says a call that gets no answer. */
  tell(record: RemoteRecord, quotedMethod: string, args: unknown[]): void
  release(record: RemoteRecord): void
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

const collected = new FinalizationRegistry<RemoteRecord>((record) => {
  // The id may have come again after the collection and before this callback: then a new handle lives.
  if (!record.isDead && record.liveHandle() === null) record.owner.release(record)
})

const kRecord: unique symbol = Symbol('perspective.record')
const kInspect = Symbol.for('nodejs.util.inspect.custom')

/** The record behind a handle, or null for anything else. Sees through proxies that a UI library puts around it. */
export function recordOf(value: object): RemoteRecord | null {
  // A symbol of this module cannot be forged by a peer, and costs a plain object one failed lookup.
  return (value as { [kRecord]?: RemoteRecord })[kRecord] ?? null
}

/** Answers, without the peer, what a handle's own members are. */
class LocalMembers implements ProxyHandler<object> {
  readonly #record: RemoteRecord
  #methods: Map<string, unknown> | null = null

  constructor(record: RemoteRecord) {
    this.#record = record
  }

  get(target: object, name: string | symbol, receiver: object): unknown {
    if (typeof name === 'symbol') {
      switch (name) {
        case kRecord:
          return this.#record
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
    let method = this.#methods?.get(name)
    if (method === undefined) {
      const record = this.#record
      const quoted = JSON.stringify(name)
      // The closure holds the handle: `const { say } = ref` keeps the reference alive.
      method = (...args: unknown[]) => record.owner.call(record, quoted, args, receiver)
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
    const handle = this.#record.liveHandle() ?? (receiver as object)
    return this.#record.owner.call(this.#record, '""', args, handle)
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
  // An arrow function has no `prototype` of its own, which a proxy would have to report as it is.
  const target = record.isFunction
    ? Object.defineProperty(() => undefined, kInspect, { value: inspectHandle, configurable: true })
    : new RemoteReference()
  const handle = new Proxy<object>(target, new LocalMembers(record))
  record.setHandle(handle)
  if (record.id !== 0) collected.register(handle, record)
  return handle
}
