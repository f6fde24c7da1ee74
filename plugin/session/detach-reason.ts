import type { CloseReason } from '../../broker/index.js'
import type { DetachReason } from './avatar.js'

/** What the end of a connection means to an avatar, where the server did not bring it about. */
export function reasonOf({ code, reason }: CloseReason): DetachReason {
  const message = reason === '' ? `closed with ${String(code)}` : reason
  switch (code) {
    case 1000:
      return { code: 'logout', message: 'the page logged out' }
    case 1002:
    case 1007:
    case 1009:
    case 4400:
      return { code: 'protocol', message }
    case 4413:
      return { code: 'slow', message: 'the page reads too slowly' }
    default:
      return { code: 'lost', message }
  }
}
