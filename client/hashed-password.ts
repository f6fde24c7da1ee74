/** The page's half of a login whose password stays in the page: SCRAM's proof (RFC 5802) by WebCrypto. Loaded when needed. */
import type { RequestError } from './errors.js'

export interface HashedPasswordCredentials {
  readonly type: 'hashed-password'
  readonly username: string
  readonly password: string
}

/** Fewer would make a password cheap to guess from a proof that somebody has overheard; Django has more since 2.0. */
const MIN_ITERATIONS = 100_000
/** More would hang the page; six times what the newest Django has. */
const MAX_ITERATIONS = 10_000_000

/**
 * Asks for a challenge and makes the credentials that answer it.
 *
 * @param ask - Sends a username to the challenge route; answers what that says.
 * @param RequestErrorClass - The one of the module that loads this one: a class of this module's own would be another.
 * @throws RequestError `PB_ERR_CLIENT_CHALLENGE` - a challenge that is not to be answered, or a platform that cannot.
 */
export async function prove(
  { type, username, password }: HashedPasswordCredentials,
  ask: (body: { readonly username: string }) => Promise<Record<string, unknown>>,
  RequestErrorClass: typeof RequestError,
): Promise<object> {
  const refuse = (message: string): Error =>
    new RequestErrorClass('PB_ERR_CLIENT_CHALLENGE', message, 0, null)
  const { subtle } = globalThis.crypto ?? {}
  // `crypto` is everywhere; this of it only on https, and on this machine itself.
  if ((subtle as SubtleCrypto | undefined) === undefined)
    throw refuse('expected WebCrypto, got none: a hashed password needs https')
  // Those that Django's login form refuses; zeros at the end would change nothing of the key.
  if (/^$|\0|\p{Surrogate}/u.test(password)) throw refuse('expected a password, got none')
  const { challenge, salt, iterations, algorithm } = await ask({ username })
  if (
    algorithm !== 'pbkdf2_sha256' ||
    typeof salt !== 'string' ||
    typeof iterations !== 'number' ||
    !(iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS)
  )
    throw refuse(
      `expected pbkdf2_sha256 of ${String(MIN_ITERATIONS)} to ${String(MAX_ITERATIONS)} iterations, got ${String(algorithm)} of ${String(iterations)}`,
    )
  const bytes = (text: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(String(text))
  const hmac = async (key: BufferSource, text: unknown): Promise<Uint8Array<ArrayBuffer>> => {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' }
    const imported = await subtle.importKey('raw', key, algorithm, false, ['sign'])
    return new Uint8Array(await subtle.sign('HMAC', imported, bytes(text)))
  }
  const source = await subtle.importKey('raw', bytes(password), 'PBKDF2', false, ['deriveBits'])
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt: bytes(salt), iterations }
  const clientKey = await hmac(await subtle.deriveBits(derivation, source, 256), 'Client Key')
  const signature = await hmac(await subtle.digest('SHA-256', clientKey), challenge)
  const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0))
  const text = btoa(String.fromCharCode(...proof))
  return { type, username, challenge, proof: text.replaceAll('+', '-').replaceAll('/', '_') }
}
