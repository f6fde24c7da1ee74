import { Refusal } from './errors.js'

/** Counts the calls of a second. */
export class CallRate {
  #calls = 0
  #began = 0
  /** One for all: a flood of refusals must not cost a stack each. */
  #refusal: Refusal | null = null

  /** @throws Refusal `PB_ERR_LIMIT_CALL_RATE` - more than `max` in a second. */
  count(max: number): void {
    this.#calls += 1
    // The clock is asked once in so many calls, and after them.
    if (this.#calls > 1 && this.#calls <= max) return
    const now = Date.now()
    // A clock that was set back must not lock anybody out.
    if (this.#calls > 1 && now >= this.#began && now - this.#began < 1000) {
      this.#refusal ??= new Refusal(
        'PB_ERR_LIMIT_CALL_RATE',
        `more than ${max} calls in a second (limits.maxCallsPerSecond)`,
      )
      throw this.#refusal
    }
    this.#began = now
    this.#calls = 1
  }
}
