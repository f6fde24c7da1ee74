/** What of a session's failed calls is logged: enough to see why, and not as much as a page would like to write. */
import type { FastifyBaseLogger } from 'fastify'
import type { FailedCall } from '../../broker/index.js'
import { logError } from '../answers.js'

/** Lines in one window; a page that calls what fails, or tells what is no method, makes thousands in a second. */
const MAX_LINES = 20
const WINDOW_MS = 10_000
/** The name of a method is the page's own text, and may be as long as a frame. */
const MAX_METHOD = 100

/**
 * Logs failed calls and tells for a broker, 20 in 10 seconds. How many more there were is one line: before the next that is
 * logged, or at the session's end; afterwards what is too much is only said to be so.
 */
export class FailureLog {
  readonly #log: FastifyBaseLogger
  #windowFrom = 0
  #lines = 0
  #skipped = 0
  #hasEnded = false

  constructor(log: FastifyBaseLogger) {
    this.#log = log
  }

  failed(error: unknown, { id, method }: FailedCall): void {
    const now = performance.now()
    if (this.#lines === 0 || now - this.#windowFrom >= WINDOW_MS) {
      this.#windowFrom = now
      this.#lines = 0
      this.#saySkipped()
    }
    if (this.#lines >= MAX_LINES) {
      this.#skipped += 1
      if (this.#hasEnded && this.#skipped === 1)
        this.#log.warn('perspective: further failed calls are not logged')
      return
    }
    this.#lines += 1
    const shown = method.length > MAX_METHOD ? `${method.slice(0, MAX_METHOD)}…` : method
    logError(this.#log, error, 'perspective: a method failed', { callId: id, method: shown })
  }

  end(): void {
    this.#hasEnded = true
    this.#saySkipped()
  }

  #saySkipped(): void {
    if (this.#skipped > 0)
      this.#log.warn({ skipped: this.#skipped }, 'perspective: more calls failed than were logged')
    this.#skipped = 0
  }
}
