import type { PerspectiveError } from './errors.js'

/** Stands in a list of arguments for the result of a call of the same tick. */
export class ResultArgument {
  readonly callId: number

  constructor(callId: number) {
    this.callId = callId
  }
}

/** The result of a call: there, or coming. `error` is what the peer was told instead, once the promise has settled. */
export interface Outcome {
  value: unknown
  promise: Promise<unknown> | null
  error: PerspectiveError | null
  /** How long the answer was. */
  size: number
}

/**
 * Results of the calls of one tick, for the calls of the same tick that name them. Kept for that tick only, so that
 * pipelining costs other calls nothing and needs no release.
 */
export class TickResults {
  // Ids arrive in increasing order: two lists and a binary search cost less than a Map for each frame.
  #ids: number[] = []
  #outcomes: Outcome[] = []

  get size(): number {
    return this.#ids.length
  }

  add(id: number, outcome: Outcome): void {
    this.#ids.push(id)
    this.#outcomes.push(outcome)
  }

  find(id: number): Outcome | null {
    let low = 0
    let high = this.#ids.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.#ids[middle] ?? 0
      if (found === id) return this.#outcomes[middle] ?? null
      if (found < id) low = middle + 1
      else high = middle - 1
    }
    return null
  }

  clear(): void {
    if (this.#ids.length === 0) return
    this.#ids = []
    this.#outcomes = []
  }
}
