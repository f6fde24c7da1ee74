/** What can be done with any reference to an object of the other side, beside calling it. */
import { createView } from './handle.js'
import { checkTimeout } from './limits.js'
import { isObject } from './plain-value.js'
import { type CallOptions, type RemoteRecord, kOptions, recordOf } from './remote-record.js'
import type { RemoteReference } from './remote-types.js'
import { isAbortSignal } from './signals.js'
import type { CloseReason } from './transport.js'

/** Tells whether `value` is a handle to an object or function of the other side. */
export function isReference(value: unknown): value is RemoteReference {
  return isObject(value) && recordOf(value) !== null
}

/** Releases the reference `ref` at once, as `ref[Symbol.dispose]()` does; later calls on it reject. The root stays. */
export function release(ref: RemoteReference): void {
  const record = recordOf(ref)
  record?.owner.release(record)
}

/**
 * Answers the same reference with options for the calls that are made on it and on their results, beside those it has:
 * `withOptions(ref, { timeoutMs: 500 }).method()`.
 *
 * @param options - A signal, a deadline, or both.
 * @throws TypeError - `ref` is no reference, or an option is not what it should be.
 */
export function withOptions<R extends RemoteReference>(ref: R, options: CallOptions): R {
  const record = recordIn(ref, 'withOptions')
  checkTimeout('withOptions: timeoutMs', options.timeoutMs)
  const signal: unknown = options.signal
  if (signal !== undefined && !(isObject(signal) && isAbortSignal(signal)))
    throw new TypeError(`withOptions: expected an AbortSignal, got ${typeof signal}`)
  const before = (ref as { readonly [kOptions]?: CallOptions })[kOptions]
  return createView(record, { ...before, ...options }, ref) as R
}

/**
 * Tells `listener` once of the end of the connection that a reference belongs to, after its calls have been rejected; soon, where it
 * has ended already.
 *
 * @returns A function that unsubscribes.
 * @throws TypeError - `ref` is no reference.
 */
export function onDisconnect(
  ref: RemoteReference,
  listener: (reason: CloseReason) => void,
): () => void {
  return recordIn(ref, 'onDisconnect').owner.onDisconnect(listener)
}

/** @throws TypeError - no reference; names who expected one. */
export function recordIn(ref: unknown, who: string): RemoteRecord {
  const record = isObject(ref) ? recordOf(ref) : null
  if (record !== null) return record
  throw new TypeError(
    `${who}: expected a reference to an object of the other side, got ${typeof ref}`,
  )
}
