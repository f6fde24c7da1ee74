/** What of a session's failed calls is logged: enough to see why, and not as much as a page would like to write. */
import type { FastifyBaseLogger } from 'fastify'
import type { BrokerOptions } from '../../broker/index.js'
import { logError } from '../answers.js'

/** Lines in one window; a page that calls what fails, or tells what is no method, makes thousands in a second. */
const MAX_LINES = 20
const WINDOW_MS = 10_000
/** The name of a method is the page's own text, and may be as long as a frame. */
const MAX_METHOD = 100

/**
 * Logs failed calls and tells for a broker, 20 in 10 seconds. How many more there were is one line: before the next that is
 * logged, or when `ended` aborts; afterwards what is too much is only said to be so.
 */
export function failureLog(
  log: FastifyBaseLogger,
  ended: AbortSignal,
): NonNullable<BrokerOptions['onCallError']> {
  let windowFrom = 0
  let lines = 0
  let skipped = 0
  const saySkipped = (): void => {
    if (skipped > 0) log.warn({ skipped }, 'perspective: more calls failed than were logged')
    skipped = 0
  }
  ended.addEventListener('abort', saySkipped, { once: true })
  return (error, { id, method }) => {
    const now = performance.now()
    if (lines === 0 || now - windowFrom >= WINDOW_MS) {
      windowFrom = now
      lines = 0
      saySkipped()
    }
    if (lines >= MAX_LINES) {
      skipped += 1
      if (ended.aborted && skipped === 1)
        log.warn('perspective: further failed calls are not logged')
      return
    }
    lines += 1
    const shown = method.length > MAX_METHOD ? `${method.slice(0, MAX_METHOD)}…` : method
    logError(log, error, 'perspective: a method failed', { callId: id, method: shown })
  }
}
