/** What went wrong, in words for people. */
import {
  type CloseReason,
  ConnectError,
  ConnectionLostError,
  DeadReferenceError,
  PerspectiveError,
  RemoteError,
  RequestError,
  UnauthorizedLoginError,
} from 'fastify-perspective/client'

export interface Trouble {
  readonly text: string
  /** Seconds until another attempt makes sense. */
  readonly waitSeconds: number
}

/** Says why a login did not become a session. */
export function loginTrouble(error: unknown, username: string, isOnline: boolean): Trouble {
  if (!isOnline) return { text: 'Your network is off. Switch it on.', waitSeconds: 0 }
  const waitSeconds = error instanceof RequestError ? (error.retryAfterSeconds ?? 0) : 0
  return { text: loginText(error, username), waitSeconds }
}

function loginText(error: unknown, username: string): string {
  if (error instanceof UnauthorizedLoginError) {
    return 'The user name or the password is wrong, or the account is not active.'
  }
  if (error instanceof RequestError) {
    if (error.status === 0) return 'The server does not answer. Is it running?'
    if (error.status === 429) return `Too many attempts as ${username}.`
    if (error.code === 'PB_ERR_DB_UNAVAILABLE') return 'The server cannot reach its database.'
    if (error.status === 503) return 'The server is too busy to check passwords.'
    return `The server refused the login: ${error.message}`
  }
  if (error instanceof ConnectError) {
    return error.reason === null || error.reason.code === 1006
      ? 'The password is right, but the connection did not open. Try again.'
      : `The server ended the connection: ${error.reason.reason || error.message}`
  }
  return error instanceof Error ? error.message : String(error)
}

/** Says why a session ended; `null` where the user wanted it to. A lost connection is none of the ways: it comes back. */
export function endedText({ code, reason, byPeer }: CloseReason): string | null {
  if (code === 1000 && !byPeer) return null
  switch (code) {
    case 1011:
      return 'The server failed to prepare your session.'
    case 4400:
      return 'Page and server do not understand each other: reload the page.'
    // What the server found when it looked at Django's tables, or that it knows nothing of this session.
    case 4401:
      if (reason === 'deactivated') return 'An administrator has deactivated your account.'
      return `The server ended your session (${reason || 'no reason given'}): log in again.`
    default:
      return `The session ended: ${reason || 'no reason given'} (${code}).`
  }
}

/** Says why a call failed. */
export function callText(error: unknown, username: string): string {
  if (error instanceof ConnectionLostError && error.outcome === 'not-sent') {
    return 'There is no connection: nothing was sent.'
  }
  if (error instanceof ConnectionLostError || error instanceof DeadReferenceError) {
    return 'The connection ended before the server answered.'
  }
  if (!(error instanceof PerspectiveError)) return String(error)
  if (error.code === 'PB_ERR_CALL_DENIED') {
    return `Sorry, ${username}: that needs a permission that Django has not given you. A moderator can do it.`
  }
  if (error instanceof RemoteError) return error.message
  if (error.code === 'PB_ERR_CALL_ARGUMENTS')
    return `The server did not accept that: ${error.message}`
  return `The server failed: ${error.message}`
}
