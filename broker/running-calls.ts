/** Calls of the peer whose methods still run, and the signals by which they hear that nobody waits for them. */
export class RunningCalls {
  /** Null: nobody has asked for the call's signal. */
  readonly #calls = new Map<number, AbortController | null>()
  /** Of calls that nobody waits for from the start. */
  #connection: AbortController | null = null

  get size(): number {
    return this.#calls.size
  }

  add(id: number): void {
    // Its signal may have been asked for while it was still being started.
    if (!this.#calls.has(id)) this.#calls.set(id, null)
  }

  has(id: number): boolean {
    return this.#calls.has(id)
  }

  /** The call is done; false where it was cancelled, and nobody wants the answer. */
  end(id: number): boolean {
    return this.#calls.size > 0 && this.#calls.delete(id)
  }

  /** `id` 0: a call without answer. */
  signalOf(id: number): AbortSignal {
    if (id === 0) return (this.#connection ??= new AbortController()).signal
    const controller = this.#calls.get(id) ?? new AbortController()
    this.#calls.set(id, controller)
    return controller.signal
  }

  cancel(id: number, reason: unknown): void {
    const controller = this.#calls.get(id)
    this.#calls.delete(id)
    controller?.abort(reason)
  }

  cancelAll(reason: unknown): void {
    for (const id of [...this.#calls.keys()]) this.cancel(id, reason)
    this.#connection?.abort(reason)
  }
}
