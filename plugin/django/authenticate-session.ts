import { isEqualText } from './equal-text.js'
import { sessionAuthHash } from './session.js'
import type { DjangoSessions } from './session-store.js'
import type { DjangoAccount } from './user-model.js'
import type { DjangoUsers } from './users.js'

/** Django's AUTHENTICATION_BACKENDS where a site's settings do not say. */
export const DEFAULT_BACKENDS: readonly string[] = ['django.contrib.auth.backends.ModelBackend']

/** What else decides over a session. */
export interface SessionLoginOptions {
  /**
   * The site's AUTHENTICATION_BACKENDS. A session of another one is nobody's, as for Django once a backend has been
   * removed. Default: {@link DEFAULT_BACKENDS}.
   */
  readonly backends?: readonly string[]
  /** Hears of a session whose backend `backends` lacks; the text names the backend and nothing else of the session. */
  readonly warn?: (message: string) => void
}

/**
 * Finds whom Django has logged in by a session, the value of its cookie. Null for every cause: no such session, nobody
 * logged in by it, a backend that the site does not have, a user who is gone or inactive, a password that has changed
 * since. `users` and `sessions` are asked; `sessionKey` is the cookie's value. Writes nothing, where Django would delete a session whose hash is wrong, and give a new key to one whose hash is
 * of a fallback key. Source: `django.contrib.auth.get_user`.
 * @param options - The site's backends, and who hears of others.
 * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
 */
export async function authenticateSession(
  users: Pick<DjangoUsers, 'accountById'>,
  sessions: Pick<DjangoSessions, 'read' | 'secretKeys'>,
  sessionKey: string,
  options: SessionLoginOptions = {},
): Promise<DjangoAccount | null> {
  const { backends = DEFAULT_BACKENDS, warn } = options
  const session = await sessions.read(sessionKey)
  if (session === null) return null
  const { _auth_user_id: id, _auth_user_backend: backend, _auth_user_hash: hash } = session
  if (typeof id !== 'string' || typeof backend !== 'string') return null
  if (typeof hash !== 'string' || hash === '') return null
  if (!backends.includes(backend)) {
    warn?.(`a session was refused: its backend ${JSON.stringify(backend)} is not in backends`)
    return null
  }
  const account = await users.accountById(id)
  if (account?.user.isActive !== true) return null
  const isTheirs = sessions.secretKeys.some((key) =>
    isEqualText(sessionAuthHash(account.password, key), hash),
  )
  return isTheirs ? account : null
}
