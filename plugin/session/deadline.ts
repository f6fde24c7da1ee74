/** One deadline at a time; starting another ends the one before. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined

  start(ms: number, onMissed: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(onMissed, ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
