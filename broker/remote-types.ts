/// <reference lib="esnext.disposable" preserve="true" />
/**
 * What becomes of a type when its values cross: `Remote<T>` is how `T` looks from the other side, `Local<T>` what
 * implements the contract `T`. `Received` and `Sendable` turn arguments and results the right way round.
 */
import type { Mirror } from './cacheable.js'
import type { RemoteStream } from './stream-consumer.js'
import type {
  Atomic,
  AnyFunction,
  Awaitable,
  ByReference,
  ByValue,
  MethodName,
  Mirrored,
  TypeProblem,
  Unsendable,
  UnsendableProblem,
  ViewedBy,
  kTarget,
} from './brands.js'

interface Less {
  0: 0
  1: 0
  2: 1
  3: 2
  4: 3
}

// Bounded on purpose: `T extends DeepMapped<T>` as the test for plain data dies on mutually recursive interfaces
// (TS2321). Cached by type, this is linear, and plain types keep their own names in an editor.
type Special<T, D extends keyof Less> = unknown extends T
  ? false
  : T extends Atomic | ByValue
    ? false
    : T extends
          | AnyFunction
          | ByReference
          | Mirrored<unknown>
          | AsyncIterable<unknown>
          | RemoteReference
          | Unsendable
          | PromiseLike<unknown>
      ? true
      : D extends 0
        ? false
        : T extends ReadonlyMap<infer K, infer V>
          ? Special<K | V, Less[D]>
          : T extends ReadonlySet<infer U>
            ? Special<U, Less[D]>
            : T extends readonly (infer U)[]
              ? Special<U, Less[D]>
              : { [K in keyof T]-?: Special<T[K], Less[D]> }[keyof T]
type IsPlain<T> = true extends Special<T, 4> ? false : true

/** What arrives when a `T` is sent. */
export type Received<T> = unknown extends T
  ? unknown
  : T extends Atomic
    ? T
    : T extends Unsendable
      ? UnsendableProblem
      : T extends RemoteReference<infer U extends object>
        ? Remote<U>
        : T extends Mirrored<infer S>
          ? Mirror<Received<S>>
          : T extends ByReference
            ? Remote<T>
            : T extends ByValue
              ? T
              : T extends AnyFunction
                ? RemoteFunction<T>
                : T extends AsyncIterable<infer U>
                  ? RemoteStream<Received<U>>
                  : IsPlain<T> extends true
                    ? T
                    : T extends ReadonlyMap<infer K, infer V>
                      ? Map<Received<K>, Received<V>>
                      : T extends ReadonlySet<infer U>
                        ? Set<Received<U>>
                        : { [K in keyof T]: Received<T[K]> }

/** What may be passed where the other side declares a `P`. */
export type Sendable<P> = unknown extends P
  ? unknown
  : P extends Atomic
    ? P
    : P extends Unsendable
      ? UnsendableProblem
      : P extends RemoteReference<infer U extends object>
        ? P | U
        : P extends ByReference
          ? Referent<P>
          : P extends Mirrored<infer S>
            ? Mirrored<Sendable<S>>
            : P extends ByValue
              ? P
              : P extends (...args: infer A) => infer R
                ? (...args: ReceivedList<A>) => Awaitable<Sendable<Awaited<R>>>
                : P extends AsyncIterable<infer U>
                  ? AsyncIterable<Sendable<U>>
                  : IsPlain<P> extends true
                    ? P
                    : P extends ReadonlyMap<infer K, infer V>
                      ? ReadonlyMap<Sendable<K>, Sendable<V>>
                      : P extends ReadonlySet<infer U>
                        ? ReadonlySet<Sendable<U>>
                        : { [K in keyof P]: Sendable<P[K]> }

/** What the other side may call as an `R`: of that type, of a class that implements it, or a handle. */
type Referent<R extends object> =
  R | (Local<R> & ByReference) | (Views<R, never> & ViewedBy<never>) | Remote<R>

type ReceivedList<A extends readonly unknown[]> = { [I in keyof A]: Received<A[I]> }
type ArgumentList<A extends readonly unknown[]> = {
  [I in keyof A]: Sendable<A[I]> | RemotePromise<A[I]>
}

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false
type IsOverloaded<M> = M extends { (...a: infer A1): infer R1; (...a: infer A2): infer R2 }
  ? Same<[A1, R1], [A2, R2]> extends true
    ? false
    : true
  : false

/** A method as its caller sees it: always a promise, callbacks and references turned round. */
export type RemoteMethod<M> =
  IsOverloaded<M> extends true
    ? TypeProblem<'an overloaded method has one remote name: use a union, or two names'>
    : M extends (...args: infer A) => infer R
      ? (...args: ArgumentList<A>) => RemotePromise<Awaited<R>>
      : never

type ViewMethod<M> = M extends (caller: never, ...args: infer A) => infer R
  ? (...args: ArgumentList<A>) => RemotePromise<Awaited<R>>
  : never

// A mapped type over `keyof T` itself, never with `as`: then rename and go-to-definition follow.
type MethodsOf<T, K extends keyof T> =
  T extends ViewedBy<never>
    ? { readonly [N in K]: ViewMethod<T[N]> }
    : { readonly [N in K]: RemoteMethod<T[N]> }

/** A handle to an object of the other side. Release it with `using`, {@link release}, or leave it to the collector. */
export interface RemoteReference<out T = unknown> {
  readonly [kTarget]: T
  [Symbol.dispose](): void
}

/** How an object of type `T` looks from the other side. */
export type Remote<T extends object> = RemoteReference<T> & MethodsOf<T, MethodName<T>>

/** How a function of type `F` looks from the other side. */
export type RemoteFunction<F> = RemoteReference<F> & RemoteMethod<F>

/** A call's promise. Where the result is one reference its methods can be called at once: one round trip for both. */
export type RemotePromise<R> = Promise<Received<R>> &
  ([R] extends [never]
    ? unknown
    : [R] extends [ByReference]
      ? MethodsOf<R, MethodName<R>>
      : [R] extends [AsyncIterable<infer U>]
        ? AsyncIterable<Received<U>>
        : unknown)

type LocalOf<T, K extends keyof T> = {
  [N in K]: T[N] extends (...args: infer A) => infer R
    ? (...args: ReceivedList<A>) => Awaitable<Sendable<Awaited<R>>>
    : never
}

type ViewsOf<T, Caller, K extends keyof T> = {
  [N in K]: T[N] extends (...args: infer A) => infer R
    ? (caller: Caller, ...args: ReceivedList<A>) => Awaitable<Sendable<Awaited<R>>>
    : never
}

/** What implements the contract `T` in a {@link Viewable}: each method gets the caller's avatar first. */
export type Views<T, Caller extends object> = ViewsOf<T, Caller, MethodName<T>>

/** What implements the contract `T`: the same methods, sync or async, with what arrives as arguments. */
export type Local<T> = LocalOf<T, MethodName<T>>

type TellOf<T, K extends keyof T> = {
  readonly [N in K]: T[N] extends (...args: infer A) => unknown
    ? (...args: { [I in keyof A]: Sendable<A[I]> }) => void
    : never
}

/** The methods of `T` as {@link tell} offers them: nothing comes back. */
export type Tell<T> = TellOf<T, MethodName<T>>
