/** Objects whose state the other side mirrors. */
import type { Mirrored } from './brands.js'

/** How a `Cacheable` of the other side looks. The same one as long as it is held; its two members fit `useSyncExternalStore`. */
export interface Mirror<out S> {
  /** The state as it was last told; a new object for each change, in which what did not change is `===` what it was. */
  readonly state: S
  /** `listener` hears of every change; answers a function that unsubscribes. Bound: it can be handed on as it is. */
  readonly subscribe: (listener: () => void) => () => void
  [Symbol.dispose](): void
}

export interface Cacheable<S> extends Mirrored<S> {}

/** Whoever shows a {@link Cacheable} to a peer. */
export interface Observer {
  changed(): void
}

const observersOf = new WeakMap<object, Set<Observer>>()

/**
 * An object whose state is shown to whoever it is sent to, and kept up to date there. States are immutable: `update` takes
 * the next one, and what of it is `===` the one before is not sent again.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- see above
export abstract class Cacheable<S> {
  #state: S

  constructor(state: S) {
    this.#state = state
  }

  /** The state as `update` has left it. */
  get state(): S {
    return this.#state
  }

  /** Replaces the state by `next`. Many updates of one tick may reach a holder as one. */
  protected update(next: S): void {
    if (Object.is(next, this.#state)) return
    this.#state = next
    for (const observer of observersOf.get(this) ?? []) observer.changed()
  }

  /** What a holder sees; without it everything. `caller`: this side's root of that connection, on a server its avatar. */
  stateFor?(caller: object | null): S

  /** Runs when the last holder is gone, released or disconnected. */
  unobserved?(): void
}

export function observe(object: Cacheable<unknown>, observer: Observer): void {
  const observers = observersOf.get(object) ?? new Set()
  observers.add(observer)
  observersOf.set(object, observers)
}

/** @throws whatever the object's `unobserved` throws. */
export function unobserve(object: Cacheable<unknown>, observer: Observer): void {
  const observers = observersOf.get(object)
  if (observers?.delete(observer) === true && observers.size === 0) object.unobserved?.()
}
