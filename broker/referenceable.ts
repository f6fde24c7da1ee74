import type { ByReference, ViewedBy } from './brands.js'
import type { Local } from './remote-types.js'
import type { RemoteMethods } from './remote-methods.js'
import { declareLiteral, kReferenceable, kViewable } from './exposure.js'

// Interface and class merge: the mark is there for the compiler and no object carries it.
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- the mark has no run-time side to initialise
export interface Referenceable extends ByReference {}

/**
 * An object that crosses by reference: the other side gets a handle and calls the methods listed in
 * `static readonly remote: RemoteMethods<Contract>`, nothing else. Sent home, it is this very object.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- see above
export abstract class Referenceable {
  static {
    Object.defineProperty(this.prototype, kReferenceable, { value: true })
  }
}

export interface Viewable<Caller extends object> extends ViewedBy<Caller> {}

/**
 * A {@link Referenceable} whose methods get the caller's avatar as their first argument: the root that this side has given
 * to the connection that the call came by. It is not part of the call and cannot be claimed by a peer.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging, @typescript-eslint/no-unused-vars -- merged with its interface, which uses it
export abstract class Viewable<Caller extends object> extends Referenceable {
  static {
    Object.defineProperty(this.prototype, kViewable, { value: true })
  }
}

/**
 * Makes an object literal cross by reference. Its own functions are what may be called; with `rules` exactly
 * those listed, with their schemas.
 *
 * @param methods - The literal; its functions are the methods of the contract `T`.
 * @returns The same object.
 * @throws TypeError - a rule without a method, or one that is none.
 */
export function reference<T extends object>(
  methods: Local<T>,
  rules?: RemoteMethods<T>,
): Local<T> & Referenceable {
  declareLiteral(methods, rules)
  return methods as Local<T> & Referenceable
}
