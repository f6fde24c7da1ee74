// A clock that a test moves: `setTimeout` and `Date.now`. Node 20's own removes another timer when one is cleared that has run.
import type { TestContext } from 'node:test'

interface Timer {
  readonly at: number
  readonly run: () => void
}

export class Clock {
  /** What timers were asked for, in ms. */
  readonly delays: number[] = []
  readonly #timers = new Map<object, Timer>()
  readonly #real = { setTimeout, clearTimeout, now: Date.now }
  #now = Date.now()

  /** Takes over until the test ends. */
  constructor(t: TestContext) {
    const global = globalThis as unknown as Record<string, unknown>
    global['setTimeout'] = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
      const handle = { ref: () => handle, unref: () => handle, hasRef: () => true }
      this.delays.push(ms)
      this.#timers.set(handle, { at: this.#now + Math.max(ms, 1), run: () => run(...args) })
      return handle
    }
    global['clearTimeout'] = (handle: object) => {
      if (!this.#timers.delete(handle)) this.#real.clearTimeout(handle as never)
    }
    Date.now = () => this.#now
    t.after(() => {
      this.stop()
    })
  }

  /** Goes on, with every timer that is due in turn. */
  tick(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0]
      if (due === undefined || due[1].at > end) break
      this.#timers.delete(due[0])
      this.#now = Math.max(this.#now, due[1].at)
      due[1].run()
    }
    this.#now = end
  }

  /** Sets the clock without running anything, as a machine that slept; timers stay as far away as they were. */
  jump(ms: number): void {
    this.#now += ms
    for (const [handle, { at, run }] of this.#timers) this.#timers.set(handle, { at: at + ms, run })
  }

  /** Gives the clock back, and forgets the timers that have not run. */
  stop(): void {
    Object.assign(globalThis, {
      setTimeout: this.#real.setTimeout,
      clearTimeout: this.#real.clearTimeout,
    })
    Date.now = this.#real.now
    this.#timers.clear()
  }
}
