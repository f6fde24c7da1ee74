/** Pipelining at the callee: the results of a tick's calls, for the calls of the same tick that name them. */
import { type PerspectiveError, Refusal } from './errors.js'

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

/** Results are kept for their tick only, so that pipelining costs other calls nothing and needs no release. */
export class TickResults {
  readonly #maxBorrowed: number
  // Ids arrive in increasing order: two lists and a binary search cost less than a Map for each frame.
  #ids: number[] = []
  #outcomes: Outcome[] = []
  /** How long the results are that this tick's calls have named as arguments. */
  #borrowed = 0

  /** `maxBorrowed`: how long the results named as arguments may be together, in a tick. */
  constructor(maxBorrowed: number) {
    this.#maxBorrowed = maxBorrowed
  }

  get size(): number {
    return this.#ids.length
  }

  add(id: number, outcome: Outcome): void {
    this.#ids.push(id)
    this.#outcomes.push(outcome)
  }

  /** The tick is over: its results can no longer be named. */
  clear(): void {
    this.#borrowed = 0
    if (this.#ids.length === 0) return
    this.#ids = []
    this.#outcomes = []
  }

  /**
   * What a call of this tick came to, or a promise of it, born handled.
   *
   * @throws Refusal - the call is of another tick, or was refused.
   */
  resultOf(callId: number): unknown {
    const outcome = this.#find(callId)
    // What the peer was told is the result: also of a method whose value could not cross.
    const take = (value: unknown): unknown => {
      if (outcome.error !== null) throw outcome.error
      return value
    }
    if (outcome.promise === null) return take(outcome.value)
    // The listener that answered the call ran first, so the error that the peer saw is there.
    const result = outcome.promise.then(take, take)
    // Who asks may be refused before it waits.
    result.catch(() => undefined)
    return result
  }

  /**
   * Puts results into a list of arguments; answers a promise where one of them is still to come.
   *
   * @throws Refusal - as {@link resultOf}, or they are too large together.
   */
  fillIn(args: unknown[]): Promise<void> | null {
    if (!args.some((arg) => arg instanceof ResultArgument)) return null
    args.forEach((arg, index) => {
      if (arg instanceof ResultArgument) args[index] = this.#borrow(arg.callId)
    })
    const coming = args.filter((arg) => arg instanceof Promise)
    if (coming.length === 0) return null
    let next = 0 // Not shift(), which moves a long list once for each.
    return Promise.all(coming).then((settled) => {
      for (const [index, arg] of args.entries())
        if (arg instanceof Promise) args[index] = settled[next++]
    })
  }

  /** The result of a call as an argument: results that hold results double, so a tick's worth of them is bounded. */
  #borrow(callId: number): unknown {
    const result = this.resultOf(callId)
    const outcome = this.#find(callId)
    const charge = (value: unknown): unknown => {
      this.#borrowed += outcome.size
      if (this.#borrowed <= this.#maxBorrowed) return value
      throw new Refusal(
        'PB_ERR_LIMIT_FRAME',
        'results of one tick as arguments, too large together',
      )
    }
    if (!(result instanceof Promise)) return charge(result)
    const charged = result.then(charge)
    charged.catch(() => undefined)
    return charged
  }

  #find(id: number): Outcome {
    let low = 0
    let high = this.#ids.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.#ids[middle] ?? 0
      const outcome = this.#outcomes[middle]
      if (found === id && outcome !== undefined) return outcome
      if (found < id) low = middle + 1
      else high = middle - 1
    }
    throw new Refusal('PB_ERR_REF_UNKNOWN', 'the call whose result is meant is of another tick')
  }
}
