import { UnsendableError } from './errors.js'
import { recordIn } from './reference.js'
import type { RemoteRecord } from './remote-record.js'
import type { Remote, Tell } from './remote-types.js'
import { isReservedName } from './reserved-names.js'
import { DEFAULT_LIMITS } from './limits.js'
import { isPlain } from './plain-value.js'

/**
 * References of any connections, to tell all of them something at once. Plain arguments are encoded once for all; those
 * whose connection ends leave by themselves, released ones with the next telling.
 */
export class ReferenceSet<T extends object> implements Iterable<Remote<T>> {
  readonly #refs = new Map<RemoteRecord, { readonly ref: Remote<T>; readonly forget: () => void }>()

  /**
   * Calls a method of every reference in it; nothing comes back. One that cannot be reached is passed over; the `onCallError`
   * of a connection whose limit is met hears of it. An argument that cannot cross is an UnsendableError, thrown when all were
   * tried.
   */
  readonly tell: Tell<T> = this.#makeTell(null)

  /**
   * {@link tell} for all but one, whether it is in the set or not: others hear of what one page did.
   *
   * @param ref - Whom not to tell.
   * @throws TypeError - no reference.
   */
  tellExcept(ref: Remote<T>): Tell<T> {
    return this.#makeTell(recordIn(ref, 'ReferenceSet.tellExcept'))
  }

  /** How many references are in it. */
  get size(): number {
    return this.#refs.size
  }

  /**
   * Adds `ref`, once.
   *
   * @throws TypeError - no reference.
   */
  add(ref: Remote<T>): this {
    const record = recordIn(ref, 'ReferenceSet.add')
    if (this.#refs.has(record)) return this
    const forget = record.owner.onDisconnect(() => this.#refs.delete(record))
    this.#refs.set(record, { ref, forget })
    return this
  }

  /**
   * Takes `ref` out; false where it was not in.
   *
   * @throws TypeError - no reference.
   */
  delete(ref: Remote<T>): boolean {
    const record = recordIn(ref, 'ReferenceSet.delete')
    this.#refs.get(record)?.forget()
    return this.#refs.delete(record)
  }

  /**
   * Whether `ref` is in it.
   *
   * @throws TypeError - no reference.
   */
  has(ref: Remote<T>): boolean {
    return this.#refs.has(recordIn(ref, 'ReferenceSet.has'))
  }

  *[Symbol.iterator](): Iterator<Remote<T>> {
    for (const { ref } of [...this.#refs.values()]) yield ref
  }

  #makeTell(except: RemoteRecord | null): Tell<T> {
    return new Proxy({} as Tell<T>, {
      get: (_target, name) =>
        typeof name === 'symbol' || isReservedName(name)
          ? undefined
          : (...args: unknown[]) => {
              this.#tell(JSON.stringify(name), args, except)
            },
    })
  }

  #tell(quotedMethod: string, args: unknown[], except: RemoteRecord | null): void {
    // What is beyond is each connection's own to refuse.
    const { maxDepth, maxFrameBytes } = DEFAULT_LIMITS
    const json = isPlain(args, maxDepth, maxFrameBytes) ? JSON.stringify(args) : undefined
    let unsendable: UnsendableError | null = null
    for (const [record, { forget }] of this.#refs) {
      if (record.isDead) {
        forget()
        this.#refs.delete(record)
        continue
      }
      if (record === except) continue
      try {
        record.owner.tell(record, quotedMethod, args, json)
      } catch (error) {
        // A limit is one connection's own, and no business of who tells all; what cannot cross is a mistake of theirs.
        if (error instanceof UnsendableError) unsendable ??= error
        else record.owner.report(error, quotedMethod)
      }
    }
    if (unsendable !== null) throw unsendable
  }
}
