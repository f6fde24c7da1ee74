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

/** The same page is back on another connection. */
export const REPLACED: Ending = ending(
  4409,
  'replaced',
  'replaced',
  'a newer session took its place',
)
/** The user has too many: the oldest makes room, and does not come back for it. */
export const OUSTED: Ending = ending(
  4409,
  'too many',
  'replaced',
  'the user has as many sessions as allowed, and this was the oldest',
)
/** By `POST <prefix>/logout`. */
export const LOGGED_OUT: Ending = ending(1000, 'logout', 'logout', 'the page logged out')

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
/** Seconds within which pages come back, at random, so that they are no stampede; more where there are many. */
const RETURN_WITHIN = [5, 60] as const
const RETURNS_PER_SECOND = 100

/** The server ends; `sessions`: how many will come back. */
export function closing(sessions: number): Ending {
  const [least, most] = RETURN_WITHIN
  const seconds = Math.min(most, Math.max(least, Math.ceil(sessions / RETURNS_PER_SECOND)))
  return ending(1001, JSON.stringify({ after: [1, seconds] }), 'closing', 'the server shuts down')
}

/** What the database no longer stands for. */
export type RevokeCause =
  'credentials-changed' | 'deactivated' | 'deleted' | 'session-ended' | 'renewal-reused'

/** The user may not be here any more. */
export function revoked(cause: RevokeCause): Ending {
  return REVOKED[cause]
}

const REVOKED: Readonly<Record<RevokeCause, Ending>> = {
  'credentials-changed': revocation('credentials-changed', 'the password has changed'),
  deactivated: revocation('deactivated', 'the user was deactivated'),
  deleted: revocation('deleted', 'the user was deleted'),
  'session-ended': revocation('session-ended', 'the Django session has ended'),
  'renewal-reused': revocation('renewal-reused', 'a renewal token was used twice'),
}

function revocation(cause: RevokeCause, message: string): Ending {
  return ending(4401, cause, 'revoked', message)
}

/** Half open: the peer has given no sign of life. */
export const SILENT: Ending = ending(4408, 'heartbeat', 'lost', 'the page gave no sign of life')
export const TOO_OLD: Ending = ending(
  4410,
  'max-age',
  'expired',
  'the session was as old as one may get',
)
/** Nobody could be asked for `graceSeconds` whether the user still belongs here. */
export const NO_AUTHORITY: Ending = ending(
  4503,
  'no-authority',
  'lost',
  'the user database was away too long',
)
