import { recordIn } from './reference.js'
import type { RemoteRecord } from './remote-record.js'
import type { Remote, Tell } from './remote-types.js'
import { isReservedName } from './reserved-names.js'
import { isPlain } from './plain-value.js'

/** Deeper values are each connection's own to refuse. */
const DEPTH = 64

/**
 * References of any connections, to tell all of them something at once. Plain arguments are encoded once for all; those
 * whose connection ends leave by themselves.
 */
export class ReferenceSet<T extends object> implements Iterable<Remote<T>> {
  readonly #refs = new Map<RemoteRecord, { readonly ref: Remote<T>; readonly forget: () => void }>()

  /** Calls a method of every reference in it; nothing comes back. One that cannot be reached is passed over. */
  readonly tell: Tell<T> = new Proxy({} as Tell<T>, {
    get: (_target, name) =>
      typeof name === 'symbol' || isReservedName(name)
        ? undefined
        : (...args: unknown[]) => {
            this.#tell(JSON.stringify(name), args)
          },
  })

  get size(): number {
    return this.#refs.size
  }

  /** @throws TypeError - no reference. */
  add(ref: Remote<T>): this {
    const record = recordIn(ref, 'ReferenceSet.add')
    if (this.#refs.has(record)) return this
    const forget = record.owner.onDisconnect(() => this.#refs.delete(record))
    this.#refs.set(record, { ref, forget })
    return this
  }

  delete(ref: Remote<T>): boolean {
    const record = recordIn(ref, 'ReferenceSet.delete')
    this.#refs.get(record)?.forget()
    return this.#refs.delete(record)
  }

  has(ref: Remote<T>): boolean {
    return this.#refs.has(recordIn(ref, 'ReferenceSet.has'))
  }

  *[Symbol.iterator](): Iterator<Remote<T>> {
    for (const { ref } of [...this.#refs.values()]) yield ref
  }

  #tell(quotedMethod: string, args: unknown[]): void {
    const json = isPlain(args, DEPTH) ? JSON.stringify(args) : undefined
    for (const record of this.#refs.keys()) record.owner.tell(record, quotedMethod, args, json)
  }
}
