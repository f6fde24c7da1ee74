import { recordOf } from './handle.js'
import type { Remote, RemoteReference, Tell } from './remote-types.js'
import { isReservedName } from './reserved-names.js'

/**
 * Calls without asking for an answer: `tell(ref).method(…)`, or `tell(callback)(…)`. Nothing comes back, nothing can
 * reject; the other side's log hears of a failure. On a dead reference nothing happens.
 *
 * @throws TypeError - `ref` is no reference.
 * @throws UnsendableError, CallError - from the call itself, where an argument cannot cross: nothing was said.
 */
export function tell<A extends readonly unknown[]>(
  ref: RemoteReference<(...args: A) => unknown>,
): (...args: A) => void
export function tell<T extends object>(ref: Remote<T>): Tell<T>
export function tell(ref: RemoteReference): unknown {
  const record = isObject(ref) ? recordOf(ref) : null
  if (record === null)
    throw new TypeError(
      `tell: expected a reference to an object of the other side, got ${typeof ref}`,
    )
  const say = (method: string, args: unknown[]): void => {
    record.owner.tell(record, JSON.stringify(method), args)
  }
  return new Proxy(() => undefined, {
    get: (target, name) =>
      typeof name === 'symbol' || isReservedName(name)
        ? (Reflect.get(target, name) as unknown)
        : (...args: unknown[]) => {
            say(name, args)
          },
    apply: (_target, _this, args: unknown[]) => {
      say('', args)
    },
  })
}

/** Tells whether a value is a handle to an object or function of the other side. */
export function isReference(value: unknown): value is RemoteReference {
  return isObject(value) && recordOf(value) !== null
}

/** Releases a reference at once, as `ref[Symbol.dispose]()` does; later calls on it reject. The root stays. */
export function release(ref: RemoteReference): void {
  const record = recordOf(ref)
  record?.owner.release(record)
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
