/** Rows of django_session as Django writes them, for tests without a Django; test/django/cookie.test.ts has its own. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { sessionAuthHash } from 'fastify-perspective/django'
import type pg from 'pg'

export const SECRET_KEY = 'the SECRET_KEY of a site in a test'
export const FORMER_KEY = 'the SECRET_KEY that it had before'
export const BACKEND = 'django.contrib.auth.backends.ModelBackend'
const SALT = 'django.contrib.sessions.SessionStore'
const COOKIE_SALT = 'django.contrib.sessions.backends.signed_cookies'

/** Signs as `signing.dumps` does, at a time in seconds. */
export function signSession(
  session: unknown,
  key: string = SECRET_KEY,
  salt: string = SALT,
  seconds: number = Math.floor(Date.now() / 1000),
): string {
  const json = typeof session === 'string' ? session : JSON.stringify(session)
  const body = `${Buffer.from(json).toString('base64url')}:${base62(seconds)}`
  const derived = createHash('sha256').update(`${salt}signer${key}`).digest()
  return `${body}:${createHmac('sha256', derived).update(body).digest('base64url')}`
}

/** The cookie of the engine `signed_cookies`. */
export function signCookie(session: unknown, seconds?: number): string {
  return signSession(session, SECRET_KEY, COOKIE_SALT, seconds)
}

function base62(number: number): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let [rest, text] = [number, '']
  for (; rest > 0; rest = Math.floor(rest / 62)) text = `${digits[rest % 62] ?? ''}${text}`
  return text
}

/** What a session of a user holds after Django's `login()`. */
export async function loggedIn(
  pool: pg.Pool,
  username: string,
  key: string = SECRET_KEY,
): Promise<Record<string, unknown>> {
  const { rows } = await pool.query<{ id: number; password: string }>(
    'SELECT id, password FROM auth_user WHERE username = $1',
    [username],
  )
  const [user] = rows
  if (user === undefined) throw new Error(`no user ${username}`)
  return {
    _auth_user_id: String(user.id),
    _auth_user_backend: BACKEND,
    _auth_user_hash: sessionAuthHash(user.password, key),
  }
}

/** Adds a row; answers its key. `expires`: an SQL interval from now. */
export async function addSession(
  pool: pg.Pool,
  data: string,
  expires: string = '1 day',
  key: string = randomBytes(16).toString('hex'),
): Promise<string> {
  await pool.query('INSERT INTO django_session VALUES ($1, $2, now() + $3::interval)', [
    key,
    data,
    expires,
  ])
  return key
}

/** Adds a session that Django would have made for this user. */
export async function addLogin(pool: pg.Pool, username: string): Promise<string> {
  return addSession(pool, signSession(await loggedIn(pool, username)))
}

/** The whole table, each row with what PostgreSQL knows of its writing: a row written anew with the same values differs. */
export async function snapshot(pool: pg.Pool): Promise<unknown[]> {
  const sql = 'SELECT ctid::text, xmin::text, s.*::text FROM django_session s ORDER BY session_key'
  const { rows } = await pool.query<Record<string, unknown>>(sql)
  return rows
}
