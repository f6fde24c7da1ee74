/** One deadline at a time; starting another ends the one before. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined

  start(ms: number, onMissed: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(onMissed, ms)
  }

  /** The process may end before it. */
  unref(): void {
    this.#timer?.unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    // It holds on to what was to be done.
    this.#timer = undefined
  }
}

/** What a promise answers within `ms`; else rejects with the error that is made then. */
export async function raceDeadline<T>(
  promise: Promise<T>,
  ms: number,
  makeError: () => Error,
): Promise<T> {
  const deadline = new Deadline()
  const missed = new Promise<never>((_resolve, reject) => {
    deadline.start(ms, () => {
      reject(makeError())
    })
  })
  try {
    return await Promise.race([promise, missed])
  } finally {
    deadline.stop()
  }
}
