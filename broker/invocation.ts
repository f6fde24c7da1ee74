/** Calls a method of an object on a peer's behalf: only what is exposed, with checked arguments and permission. */
import { checkArguments } from './arguments.js'
import { type CallServer, enterCall, leaveCall } from './current-call.js'
import { PerspectiveError, Refusal, RemoteError } from './errors.js'
import { exposureOf, isReferenceable, isViewable } from './exposure.js'
import { isObject } from './plain-value.js'
import { recordOf } from './remote-record.js'
import { isReservedName } from './reserved-names.js'

/** Answers whether the peer has every one of these permissions. */
export type Authorize = (requires: readonly string[]) => boolean | Promise<boolean>

/** Who asks for an invocation: the connection's callee, and the call. */
export interface Invoker extends CallServer {
  /** @throws Refusal - a call that had to wait is wanted by nobody any more, and must not begin. */
  assertWanted(callId: number): void
  readonly authorize: Authorize | undefined
}

/**
 * Invokes one method; `''` means the object itself, a function. The methods of a `Viewable` get the caller's avatar first.
 *
 * @returns Whatever the method answers: a value or a thenable.
 * @throws Refusal - no reference, no such method, arguments refused, permission missing. Anything else is the method's.
 */
export function invoke(
  object: unknown,
  method: string,
  args: unknown[],
  invoker: Invoker,
  callId: number,
): unknown {
  if (!isObject(object)) throw notCallable(method)
  const record = recordOf(object)
  if (record !== null) {
    if (isReservedName(method)) throw unknownMethod(method)
    return record.owner.call(record, JSON.stringify(method), args, object).then(undefined, passOn)
  }
  if (typeof object === 'function') {
    if (method !== '') throw unknownMethod(method)
    return run(object as AnyMethod, undefined, args, method, invoker, callId)
  }
  if (!isReferenceable(object)) throw notCallable(method)
  const exposed = exposureOf(object).get(method)
  if (exposed === undefined) throw unknownMethod(method)
  const go = (): unknown => {
    let checked = checkArguments(method, exposed, args)
    if (isViewable(object)) checked = [avatarOf(invoker, method), ...checked]
    const body = (object as Record<string, AnyMethod | undefined>)[method]
    if (typeof body !== 'function') throw unknownMethod(method)
    return run(body, object, checked, method, invoker, callId)
  }
  if (exposed.requires === null) return go()
  const denied = (): never => {
    throw new Refusal(
      'PB_ERR_CALL_DENIED',
      `${method}: requires the permission ${(exposed.requires ?? []).join(', ')}`,
    )
  }
  // Unknown: a mistake in JavaScript, such as a list of permissions for an answer, must not let anybody in.
  const allowed: unknown = invoker.authorize?.(exposed.requires)
  if (!isThenable(allowed)) return allowed === true ? go() : denied()
  return allowed.then((isAllowed: unknown) => {
    invoker.assertWanted(callId)
    return isAllowed === true ? go() : denied()
  })
}

type AnyMethod = (...args: unknown[]) => unknown

function run(
  body: AnyMethod,
  object: unknown,
  args: unknown[],
  method: string,
  invoker: Invoker,
  callId: number,
): unknown {
  enterCall(invoker, callId, method)
  try {
    return body.apply(object, args)
  } finally {
    leaveCall()
  }
}

function avatarOf({ root }: Invoker, method: string): object {
  if (root !== null) return root
  throw new Refusal('PB_ERR_CALL_DENIED', `${method}: the caller has no avatar on this side`)
}

function notCallable(method: string): Refusal {
  return new Refusal(
    'PB_ERR_REF_NOT_CALLABLE',
    `${method}: the result it was called on is no reference`,
  )
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof (value as { then?: unknown }).then === 'function'
}

function unknownMethod(method: string): Refusal {
  const shown = method.length > 100 ? `${method.slice(0, 100)}…` : method
  return new Refusal(
    'PB_ERR_CALL_UNKNOWN_METHOD',
    `${JSON.stringify(shown)} is no method listed in "static remote"`,
  )
}

/** What a forwarded call failed with is said as it is: it was meant for a peer already. */
function passOn(error: unknown): never {
  if (error instanceof RemoteError || !(error instanceof PerspectiveError)) throw error
  const code = error.code === 'PB_ERR_CONNECTION_LOST' ? 'PB_ERR_REF_DEAD' : error.code
  throw new Refusal(code, error.message)
}
