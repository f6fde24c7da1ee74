import type { ByValue } from './brands.js'
import { CopyError } from './errors.js'
import type { StandardSchemaV1 } from './remote-methods.js'

// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- the mark has no run-time side to initialise
export interface Copyable extends ByValue {}

/**
 * An object that crosses as a copy and is of its own class there, methods and all. The class has a `static readonly
 * copyable` and is named in the broker's `copyables` on both sides; its own enumerable fields are its state.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- see above
export abstract class Copyable {
  /** What of it a peer may see; without it all of its fields. `caller` is the avatar at this end of the connection. */
  copyState?(caller: object | null): object
}

/** A class of copies. `type` is its name on the wire, the same on both sides; `state` checks what arrives. */
export interface CopyableClass {
  /** Its name on the wire, and the schema that its state is checked by where it arrives. */
  readonly copyable: { readonly type: string; readonly state: StandardSchemaV1 }
  /** As of any class. */
  readonly prototype: Copyable
}

/** The classes that one broker copies. */
export class Copies {
  readonly #byPrototype = new Map<object, CopyableClass>()
  readonly #byType = new Map<string, CopyableClass>()

  /** @throws TypeError - no `copyable`, or two classes of one type. */
  constructor(classes: readonly CopyableClass[]) {
    for (const Class of classes) {
      const { type, state } = (Class.copyable ?? {}) as Partial<CopyableClass['copyable']>
      if (typeof type !== 'string' || typeof state?.['~standard']?.validate !== 'function') {
        throw new TypeError(
          'copyables: expected classes with static copyable = { type, state: schema }',
        )
      }
      if (this.#byType.has(type))
        throw new TypeError(`copyables: two classes of the type ${JSON.stringify(type)}`)
      this.#byType.set(type, Class)
      this.#byPrototype.set(Class.prototype, Class)
    }
  }

  /** The type and state of an instance, or null for anything else. */
  stateOf(value: object, caller: object | null): { type: string; state: object } | null {
    const Class = this.#byPrototype.get(Object.getPrototypeOf(value) as object)
    if (Class === undefined) return null
    const state = (value as Copyable).copyState?.(caller) ?? { ...value }
    return { type: Class.copyable.type, state }
  }

  /**
   * Makes an instance from its state; no constructor runs.
   *
   * @throws CopyError `PB_ERR_CALL_COPY`
   */
  make(type: string, state: unknown): object {
    const Class = this.#byType.get(type)
    if (Class === undefined)
      throw new CopyError(`copies of the type ${JSON.stringify(type)} are not known here`)
    const result = Class.copyable.state['~standard'].validate(state)
    if (result instanceof Promise)
      throw new TypeError(`the schema of ${type} is asynchronous, which is not possible here`)
    if (result.issues !== undefined) {
      throw new CopyError(`a copy of the type ${type}: ${result.issues[0]?.message ?? 'refused'}`)
    }
    return Object.create(
      Class.prototype,
      Object.getOwnPropertyDescriptors(result.value as object),
    ) as object
  }
}

/** Of the many brokers that copy nothing. */
const NO_COPIES = new Copies([])

/** @throws TypeError - as the constructor. */
export function readCopies(classes: readonly CopyableClass[] = []): Copies {
  return classes.length === 0 ? NO_COPIES : new Copies(classes)
}
