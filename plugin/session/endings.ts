/** The ends of a session that the server brings about. PROTOCOL.md has the table of codes, and what a page does of each. */
import type { DetachReason } from './avatar.js'

/** How a session ends: close code and reason for the page, and what its avatar is told. */
export interface Ending {
  readonly code: number
  /** A short code or a word for the page's log; the broker cuts it to 123 bytes. */
  readonly text: string
  readonly reason: DetachReason
}

function ending(code: number, text: string, reason: DetachReason['code'], message: string): Ending {
  return Object.freeze({ code, text, reason: Object.freeze({ code: reason, message }) })
}

/** By the application: `session.close()`, `sessions.disconnect()`. */
export function kicked(reason: string): Ending {
  return ending(4440, reason, 'kicked', reason)
}

/** The realm refuses the user a session. */
export function denied(message: string): Ending {
  return ending(4403, message, 'kicked', message)
}

export const FAILED: Ending = ending(
  1011,
  'PB_ERR_SESSION_FAILED',
  'failed',
  'the application failed',
)
export const NO_HELLO: Ending = ending(
  4408,
  'no hello in time',
  'lost',
  'the page said no hello in time',
)
/** `ws` has sent 1009, 1007 or 1002 already, and tells of it as 1006. */
export const BAD_FRAME: Ending = ending(1002, '', 'protocol', 'a frame that is too long, or none')
/** Pages come back within so many seconds, at random, so that they are no stampede. */
export const CLOSING: Ending = ending(1001, '{"after":[1,5]}', 'closing', 'the server shuts down')
