/** Lets so many through in a second, and a second's worth at once. */
export class TokenBucket {
  readonly #perSecond: number
  #level: number
  #filledAt = performance.now()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#level = perSecond
  }

  /** False where there is none left. */
  take(): boolean {
    const now = performance.now()
    const filled = ((now - this.#filledAt) / 1000) * this.#perSecond
    this.#level = Math.min(this.#perSecond, this.#level + filled)
    this.#filledAt = now
    if (this.#level < 1) return false
    this.#level -= 1
    return true
  }
}
