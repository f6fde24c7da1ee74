/** Calls a method of an object on a peer's behalf: only what is exposed, with checked arguments and permission. */
import { checkArguments } from './arguments.js'
import { PerspectiveError, Refusal, RemoteError } from './errors.js'
import { exposureOf, isReferenceable } from './exposure.js'
import { recordOf } from './handle.js'
import { isReservedName } from './reserved-names.js'

/** Answers whether the peer has every one of these permissions. */
export type Authorize = (requires: readonly string[]) => boolean | Promise<boolean>

/**
 * Invokes one method; `''` means the object itself, a function.
 *
 * @returns Whatever the method answers: a value or a thenable.
 * @throws Refusal - no reference, no such method, arguments refused, permission missing. Anything else is the method's.
 */
export function invoke(
  object: unknown,
  method: string,
  args: unknown[],
  authorize: Authorize | undefined,
): unknown {
  if ((typeof object !== 'object' && typeof object !== 'function') || object === null) {
    throw new Refusal(
      'PB_ERR_REF_NOT_CALLABLE',
      `${method}: the result it was called on is no reference`,
    )
  }
  const record = recordOf(object)
  if (record !== null) {
    if (isReservedName(method)) throw unknownMethod(method)
    return record.owner.call(record, JSON.stringify(method), args, object).then(undefined, passOn)
  }
  if (typeof object === 'function') {
    if (method !== '') throw unknownMethod(method)
    return (object as (...args: unknown[]) => unknown)(...args)
  }
  if (!isReferenceable(object)) {
    throw new Refusal(
      'PB_ERR_REF_NOT_CALLABLE',
      `${method}: the result it was called on is no reference`,
    )
  }
  const exposed = exposureOf(object).get(method)
  if (exposed === undefined) throw unknownMethod(method)
  const run = (): unknown => {
    const checked = checkArguments(method, exposed, args)
    return (object as Record<string, (...args: unknown[]) => unknown>)[method]?.(...checked)
  }
  if (exposed.requires === null) return run()
  const denied = (): never => {
    throw new Refusal(
      'PB_ERR_CALL_DENIED',
      `${method}: requires the permission ${(exposed.requires ?? []).join(', ')}`,
    )
  }
  const allowed = authorize?.(exposed.requires) ?? false
  if (!isThenable(allowed)) return allowed ? run() : denied()
  return allowed.then((isAllowed) => (isAllowed ? run() : denied()))
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

function unknownMethod(method: string): Refusal {
  const shown = method.length > 100 ? `${method.slice(0, 100)}…` : method
  return new Refusal(
    'PB_ERR_CALL_UNKNOWN_METHOD',
    `${JSON.stringify(shown)} is not a method that can be called`,
  )
}

/** What a forwarded call failed with is said as it is: it was meant for a peer already. */
function passOn(error: unknown): never {
  if (error instanceof RemoteError || !(error instanceof PerspectiveError)) throw error
  const code = error.code === 'PB_ERR_CONNECTION_LOST' ? 'PB_ERR_REF_DEAD' : error.code
  throw new Refusal(code, error.message)
}
