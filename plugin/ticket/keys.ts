/** The keys of one plugin, and what is derived from them. Key objects: bytes would be read into one at every use. */
import { type KeyObject, createHmac, createSecretKey, hkdfSync } from 'node:crypto'
import { InvalidOptionError } from '../django/index.js'
import type { SigningKey } from './signed-claims.js'

/** What a plugin signs and checks with. */
export interface Keys {
  /** Signs tickets; null where this service admits those that another one mints. */
  readonly minting: SigningKey | null
  /** Check tickets, by `kid`. */
  readonly admitting: ReadonlyMap<string, SigningKey>
  /** Sign (the first) and check renewal tokens, by `kid`. */
  readonly renewing: ReadonlyMap<string, SigningKey>
  /** Bind tokens to what a user's row says: the first binds, all are believed. */
  readonly binding: readonly [KeyObject, ...KeyObject[]]
  /** Hides names in the keys of rate limits. */
  readonly limits: KeyObject
}

/** RFC 7518 section 3.2: a key for HS256 has at least 256 bits. */
const MIN_SECRET_BYTES = 32

/**
 * Reads the option `ticket.secret`.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID` - absent, too short, or one character repeated; never says which text.
 */
export function readSecrets(secret: unknown): Keys {
  const texts: unknown[] = Array.isArray(secret) ? secret : [secret]
  const [first, ...rest] = texts.map((text, index) =>
    readSecret(Array.isArray(secret) ? `ticket.secret[${String(index)}]` : 'ticket.secret', text),
  )
  if (first === undefined)
    throw new InvalidOptionError('ticket.secret', 'a secret, or several', secret)
  const secrets = [first, ...rest]
  // As it was given, so that any JWT tool can make or check a ticket.
  const tickets = secrets.map((bytes) => hs256(bytes, createSecretKey(bytes)))
  return {
    minting: tickets[0] ?? null,
    admitting: byKid(tickets),
    ...deriveKeys(first, rest),
  }
}

/** What is derived of the first secret, and is still believed of the others. */
export function deriveKeys(
  first: Uint8Array,
  rest: readonly Uint8Array[],
): Omit<Keys, 'minting' | 'admitting'> {
  return {
    renewing: byKid([first, ...rest].map((bytes) => hs256(bytes, derive(bytes, 'renewal')))),
    binding: [derive(first, 'bind'), ...rest.map((bytes) => derive(bytes, 'bind'))],
    limits: derive(first, 'limit'),
  }
}

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID` */
export function readSecret(option: string, text: unknown): Uint8Array {
  const expected = `at least ${String(MIN_SECRET_BYTES)} bytes of your own, such as the output of "openssl rand -base64 32"`
  if (typeof text !== 'string') throw new InvalidOptionError(option, expected, text)
  const bytes = Buffer.from(text)
  if (bytes.length < MIN_SECRET_BYTES) {
    throw new InvalidOptionError(option, expected, text, `${String(bytes.length)} bytes`)
  }
  if (new Set(bytes).size === 1) {
    throw new InvalidOptionError(option, expected, text, 'one character repeated')
  }
  return bytes
}

/** A key by a name that tells nothing of its secret. */
function hs256(secret: Uint8Array, key: KeyObject): SigningKey {
  const kid = derive(secret, 'kid').export().toString('base64url').slice(0, 8)
  return { kid, alg: 'HS256', key }
}

function byKid(keys: readonly SigningKey[]): ReadonlyMap<string, SigningKey> {
  return new Map(keys.map((key) => [key.kid, key]))
}

/** RFC 5869; a purpose of its own for each derived key. */
export function derive(secret: Uint8Array | string, purpose: string): KeyObject {
  const key = hkdfSync('sha256', secret, '', `perspective/1/${purpose}`, 32)
  return createSecretKey(new Uint8Array(key))
}

/** A keyed digest as text; parts cannot run into each other. */
export function digest(key: KeyObject, parts: readonly string[], bytes: number): string {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(`${String(part.length)}:`).update(part)
  return hmac.digest().subarray(0, bytes).toString('base64url')
}
