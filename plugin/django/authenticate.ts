import { burnPassword, checkPassword, isLoginText, type PasswordOptions } from './check-password.js'
import type { DjangoAccount } from './user-model.js'
import type { DjangoUsers } from './users.js'
import { normalizeUsername } from './username.js'

/**
 * Logs one of `users` in by `credentials`, as Django's login form does; `options` say what the site's settings say. Null for every cause: unknown user, wrong, unusable or unsupported
 * password, inactive user. Each of those costs one query and one derivation, and whether the user is active is looked at
 * after the password. No query and no derivation for what the form refuses by itself: an empty field, NUL, a lone
 * surrogate. Source: `AuthenticationForm.clean`, `ModelBackend.authenticate`.
 * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
 * @throws PasswordQueueFullError `PB_ERR_LOGIN_BUSY`
 * @throws PasswordWorkerError `PB_ERR_LOGIN_WORKER`
 * @throws `options.signal.reason`, when aborted before a worker was free.
 */
export async function authenticate(
  users: Pick<DjangoUsers, 'accountByUsername'> & Partial<Pick<DjangoUsers, 'usernameMaxLength'>>,
  credentials: { readonly username: string; readonly password: string },
  options: PasswordOptions = {},
): Promise<DjangoAccount | null> {
  const { password } = credentials
  const username = normalizeUsername(credentials.username, users.usernameMaxLength)
  if (username === '' || password === '') return null
  if (!isLoginText(username) || !isLoginText(password)) return null
  const account = await users.accountByUsername(username)
  if (account === null) {
    await burnPassword(password, options)
    return null
  }
  const isRight = await checkPassword(password, account.password, options)
  return isRight && account.user.isActive ? account : null
}
