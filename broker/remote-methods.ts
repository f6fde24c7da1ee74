/** The table of what may be called, `static readonly remote`, and the schemas in it. */
import type { MethodName, ViewedBy } from './brands.js'

type SchemaPath = ReadonlyArray<PropertyKey | { readonly key: PropertyKey }>
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | {
      readonly issues: ReadonlyArray<{
        readonly message: string
        readonly path?: SchemaPath | undefined
      }>
    }

/** What zod, valibot, arktype and others offer under `~standard` (Standard Schema, version 1). */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    readonly validate: (
      value: unknown,
      options?: { readonly libraryOptions?: Record<string, unknown> | undefined },
    ) => SchemaResult<Output> | Promise<SchemaResult<Output>>
  }
}

/** In place of schemas: the method takes whatever the peer sends. Written out so that one can search for it. */
export const unchecked: unique symbol = Symbol('perspective.unchecked')

// Each schema takes *and* gives the parameter's type: with a transform callers would be told a wrong type.
type Schemas<A extends readonly unknown[]> = {
  readonly [I in keyof A]-?: StandardSchemaV1<A[I], A[I]>
}

interface Requires {
  /** Permissions the caller must have, all of them; answered by the broker's `authorize`. */
  readonly requires?: string | readonly string[]
}

type Head<A extends readonly unknown[]> = A extends readonly [infer F, ...infer T]
  ? [F, ...Head<T>]
  : []
type Tail<A extends readonly unknown[]> = A extends readonly [unknown, ...infer T]
  ? Tail<T>
  : A extends readonly (infer E)[]
    ? E
    : never

interface Rule<A extends readonly unknown[]> extends Requires {
  readonly args: Schemas<A> | typeof unchecked
}
interface RestRule<A extends readonly unknown[]> extends Requires {
  readonly args: Schemas<Head<A>>
  readonly rest: StandardSchemaV1<Tail<A>, Tail<A>>
}
type RuleFor<A extends readonly unknown[]> = A extends readonly []
  ? true | readonly [] | Requires
  : number extends A['length']
    ? typeof unchecked | RestRule<A>
    : typeof unchecked | Schemas<A> | Rule<A>
type RulesOf<T, N extends keyof T> = {
  readonly [K in N]-?: NonNullable<T[K]> extends (...args: infer A) => unknown
    ? T extends ViewedBy<never>
      ? A extends readonly [unknown, ...infer B]
        ? RuleFor<B>
        : RuleFor<A>
      : RuleFor<A>
    : never
}

/**
 * The type of `static readonly remote`: every method of the contract `T`, and nothing else.
 *
 * A method without parameters is `true`; one with parameters an array of one schema each, or `unchecked`;
 * `{ args, rest?, requires? }` where a rest parameter or a permission comes in.
 */
export type RemoteMethods<T> = RulesOf<T, MethodName<T>>
