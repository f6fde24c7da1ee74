/**
 * Type-only marks that tell the mapped types how a value crosses. They exist in declarations alone: no object
 * carries them. Each is *required*, or every class with `[Symbol.dispose]` would pass for a reference.
 */
import type { AbortSignalLike } from './signals.js'

export declare const kByReference: unique symbol
export declare const kTarget: unique symbol
export declare const kLocal: unique symbol
/** Marks an avatar class with the contract of its mind; see `MindOf`. */
export declare const kMind: unique symbol
export declare const kCaller: unique symbol
export declare const kByValue: unique symbol
export declare const kState: unique symbol

/** Crosses by reference: the other side gets a handle, the object stays. */
export interface ByReference {
  readonly [kByReference]: true
}

/** Crosses by reference, and its methods get the caller first. */
export interface ViewedBy<in Caller> extends ByReference {
  readonly [kCaller]: (caller: Caller) => void
}

/** Crosses as a copy, of its own class on both sides. */
export interface ByValue {
  readonly [kByValue]: true
}

/** Is mirrored at whoever it is sent to. */
export interface Mirrored<out State> {
  readonly [kState]: State
}

/** Names of public methods that the other side must not see, such as `attached` and `detached`. */
export interface LocalOnly<Names extends string> {
  readonly [kLocal]?: Names
}

/** A type error in words: shows its message where the compiler prints the type. */
export interface TypeProblem<Message extends string> {
  /** What is wrong. */
  readonly 'fastify-perspective': Message
}

export type UnsendableProblem =
  TypeProblem<'this value cannot cross: send plain data or a reference'>

// The check of a method's shape has to accept every signature.
export type AnyFunction = (...args: never[]) => unknown
export type Awaitable<T> = T | PromiseLike<T>
export type Unsendable = symbol | RegExp | WeakMap<WeakKey, unknown> | WeakSet<WeakKey>
export type Atomic =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  // A method that answers nothing answers `void`.
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- `void` is what such a method's type says
  | void
  | Date
  | Error
  | ArrayBuffer
  | ArrayBufferView
  | AbortSignalLike

/** Names that every handle answers by itself, so that logging, `await` or a test library never call the peer. */
export type ReservedName =
  | 'then'
  | 'catch'
  | 'finally'
  | 'constructor'
  | 'toString'
  | 'toLocaleString'
  | 'valueOf'
  | 'toJSON'
  | 'hasOwnProperty'
  | 'isPrototypeOf'
  | 'propertyIsEnumerable'
  | 'prototype'
  | 'inspect'
  | 'nodeType'
  | 'tagName'
  | 'hasAttribute'
  | 'asymmetricMatch'
  | `_${string}`
  | `$${string}`
  | `@${string}`

/** The methods of `T` that can be called from the other side: no field, no symbol, no reserved or local-only name. */
export type MethodName<T> = {
  [K in keyof T]-?: K extends string
    ? K extends ReservedName | (T extends LocalOnly<infer N> ? N : never)
      ? never
      : NonNullable<T[K]> extends AnyFunction
        ? K
        : never
    : never
}[keyof T] &
  string

/** The contract of the mind that an avatar class expects of its page; `undefined` where it expects none. */
export type MindOf<T> = T extends { readonly [kMind]: infer M } ? M : undefined
