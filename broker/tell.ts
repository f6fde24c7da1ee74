import { recordIn } from './reference.js'
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
  recordIn(ref, 'tell')
  const say = (method: string, args: unknown[]): void => {
    // Asked of the reference each time: what is told keeps it alive.
    const record = recordIn(ref, 'tell')
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
