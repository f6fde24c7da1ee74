/** Stands for the signal of a call that was given up already. */
const CANCELLED = new AbortController()
CANCELLED.abort()

/** Calls of the peer whose methods still run, and the signals by which they hear that nobody waits for them. */
export class RunningCalls {
  /** By call; a null controller: nobody has asked for the call's signal. Null until needed, as the reference tables. */
  #calls: Map<number, AbortController | null> | null = null
  /** Calls without answer. */
  #told = 0
  #isClosed = false
  /** Of calls that nobody waits for from the start. */
  #connection: AbortController | null = null

  get size(): number {
    return (this.#calls?.size ?? 0) + this.#told
  }

  addTold(): void {
    if (!this.#isClosed) this.#told += 1
  }

  endTold(): void {
    if (!this.#isClosed) this.#told -= 1
  }

  add(id: number): void {
    // Its signal may have been asked for while it was still being started.
    if (this.#isClosed) return
    this.#calls ??= new Map()
    if (!this.#calls.has(id)) this.#calls.set(id, null)
  }

  /** Whether the call runs and somebody waits for it. */
  isWanted(id: number): boolean {
    const controller = this.#calls?.get(id)
    return controller !== undefined && controller !== CANCELLED
  }

  /** The call is done; false where it was cancelled, and nobody wants the answer. */
  end(id: number): boolean {
    if (this.#calls === null || this.#calls.size === 0) return false
    const isWanted = this.#calls.get(id) !== CANCELLED
    return this.#calls.delete(id) && isWanted
  }

  /** `id` 0: a call without answer. */
  signalOf(id: number): AbortSignal {
    if (this.#isClosed) return CANCELLED.signal
    if (id === 0) return (this.#connection ??= new AbortController()).signal
    this.#calls ??= new Map()
    const controller = this.#calls.get(id) ?? new AbortController()
    this.#calls.set(id, controller)
    return controller.signal
  }

  cancel(id: number, reason: unknown): void {
    const controller = this.#calls?.get(id)
    if (controller === undefined) return
    // It runs on until it has heard: a peer that gives up its calls may not start as many again.
    this.#calls?.set(id, CANCELLED)
    controller?.abort(reason)
  }

  /** The connection has ended: whatever still runs does so for nobody. */
  close(reason: unknown): void {
    this.#isClosed = true
    this.#told = 0
    for (const id of [...(this.#calls?.keys() ?? [])]) this.cancel(id, reason)
    this.#calls = null
    this.#connection?.abort(reason)
  }
}
