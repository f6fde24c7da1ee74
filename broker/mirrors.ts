/** Mirrored state on one connection: our own that the peer holds, and the peer's that we hold. */
import { Cacheable, type Mirror, type Observer, observe, unobserve } from './cacheable.js'
import { ProtocolError } from './errors.js'
import type { Exchange } from './exchange.js'
import { type RemoteRecord, kRecord } from './remote-record.js'
import { applyPatch, diff } from './patch.js'
import { UPDATE } from './wire.js'

/** A change copies what it changes, and some bytes can ask for a copy of a whole frame's worth: so many entries are one call. */
const ENTRIES_PER_CALL = 100
/** Entries copied in a second that are no matter, whatever `maxCallsPerSecond` says: some ten milliseconds. */
const ENTRIES_FREE = 1_000_000

/** A `Cacheable` of ours as the peer sees it. */
class Shown implements Observer {
  readonly #mirrors: Mirrors
  readonly id: number
  readonly object: Cacheable<unknown>
  /** What the peer was told last. */
  view: unknown

  constructor(mirrors: Mirrors, id: number, object: Cacheable<unknown>, view: unknown) {
    this.#mirrors = mirrors
    this.id = id
    this.object = object
    this.view = view
  }

  changed(): void {
    this.#mirrors.changed(this)
  }
}

/** What is kept of a mirror beside its table entry; the mirror itself is held weakly. */
export class MirrorState {
  value: unknown
  readonly listeners: Set<() => void> = new Set()

  constructor(value: unknown) {
    this.value = value
  }
}

export class Mirrors {
  readonly #exchange: Exchange
  #shown: Map<number, Shown> | null = null
  #states: Map<number, MirrorState> | null = null
  #changed = new Set<Shown>()
  /** Entries copied in the second that began at `#countedFrom`. */
  #copied = 0
  #countedFrom = 0

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  /** Begins to show an object under the id it was exported by; what the peer sees of it now. */
  show(id: number, object: Cacheable<unknown>): unknown {
    this.#shown ??= new Map()
    let shown = this.#shown.get(id)
    if (shown === undefined) {
      shown = new Shown(this, id, object, this.#viewOf(object))
      this.#shown.set(id, shown)
      observe(object, shown)
    } else if (this.#changed.delete(shown)) {
      this.#tell(shown)
    }
    return shown.view
  }

  /** The peer holds it no more. */
  hide(id: number): void {
    const shown = this.#shown?.get(id)
    if (shown === undefined) return
    this.#shown?.delete(id)
    this.#changed.delete(shown)
    try {
      unobserve(shown.object, shown)
    } catch (error) {
      this.#exchange.failures.report(error, { id: '', method: 'unobserved' })
    }
  }

  changed(shown: Shown): void {
    if (this.#changed.size === 0) this.#exchange.outbox.beforeNext(this.#tellAll)
    this.#changed.add(shown)
  }

  readonly #tellAll = (): void => {
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const shown of changed) this.#tell(shown)
  }

  #tell(shown: Shown): void {
    try {
      const view = this.#viewOf(shown.object)
      const patch = diff(shown.view, view)
      if (patch === null) return
      try {
        this.#exchange.sayValue(UPDATE, `${shown.id},`, patch, 'state')
      } catch {
        // A patch nests deeper than its state: what is at the bottom may have to be said whole.
        this.#exchange.sayValue(UPDATE, `${shown.id},`, [0, view], 'state')
      }
      shown.view = view
    } catch (error) {
      // What cannot cross is left out; the next update is told from what the peer has.
      this.#exchange.failures.report(error, { id: '', method: 'update' })
    }
  }

  #viewOf(object: Cacheable<unknown>): unknown {
    return object.stateFor === undefined ? object.state : object.stateFor(this.#exchange.root)
  }

  /** A state of the peer's has come; the one that is held already goes on. */
  receive(id: number, value: unknown): MirrorState {
    this.#states ??= new Map()
    const state = this.#states.get(id) ?? new MirrorState(value)
    this.#states.set(id, state)
    return state
  }

  /** Whether an id that we hold is that of a mirror. */
  holds(id: number): boolean {
    return this.#states?.has(id) === true
  }

  /** We hold it no more. */
  forget(id: number): void {
    this.#states?.delete(id)
  }

  /** @throws ProtocolError - a patch that does not fit, or more copying in a second than a page's calls may cost. */
  updated(id: number, patch: unknown): void {
    // A change that crossed our release.
    const state = this.#states?.get(id)
    if (state === undefined) return
    const next = applyPatch(state.value, patch, this.#charge)
    if (!next.ok) throw new ProtocolError('a change of a state that does not fit it')
    state.value = next.state
    for (const listener of [...state.listeners]) {
      try {
        listener()
      } catch (error) {
        this.#exchange.failures.report(error, { id: '', method: 'subscribe' })
      }
    }
  }

  readonly #charge = (entries: number): void => {
    this.#copied += entries
    const { maxCallsPerSecond } = this.#exchange.limits
    if (this.#copied <= Math.max(ENTRIES_FREE, maxCallsPerSecond * ENTRIES_PER_CALL)) return
    const now = Date.now()
    if (now >= this.#countedFrom && now - this.#countedFrom < 1000) {
      throw new ProtocolError('too many changes of large states in a second')
    }
    this.#countedFrom = now
    this.#copied = entries
  }

  close(): void {
    for (const id of [...(this.#shown?.keys() ?? [])]) this.hide(id)
    this.#shown = null
    this.#states = null
  }
}

/** What the application holds of a state of the other side. */
export class MirrorHandle implements Mirror<unknown> {
  readonly #record: RemoteRecord
  readonly #state: MirrorState

  constructor(record: RemoteRecord, state: MirrorState) {
    this.#record = record
    this.#state = state
    Object.defineProperty(this, kRecord, { value: record })
  }

  get state(): unknown {
    return this.#state.value
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    // The same function subscribed twice is two subscriptions. Each holds the mirror, or it would be collected under it.
    const own = (): void => {
      if (!this.#record.isDead) listener()
    }
    this.#state.listeners.add(own)
    return () => {
      this.#state.listeners.delete(own)
    }
  };

  [Symbol.dispose](): void {
    this.#record.owner.release(this.#record)
  }
}

export function isCacheable(value: object): value is Cacheable<unknown> {
  return value instanceof Cacheable
}
