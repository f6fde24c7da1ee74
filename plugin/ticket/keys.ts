import { type KeyObject, createHmac, createSecretKey, hkdfSync } from 'node:crypto'
import { InvalidOptionError } from '../django/index.js'

/** One secret of the application's, and what is derived from it. */
export interface TicketKey {
  /** Names the key in a ticket's header; tells nothing of the secret. */
  readonly kid: string
  /** Signs tickets: the secret as it was given, so that any JWT tool can make or check one. */
  readonly signing: KeyObject
}

/** The keys of one plugin: the first mints, all admit. Key objects: bytes would be read into one at every use. */
export interface Keys {
  readonly tickets: readonly [TicketKey, ...TicketKey[]]
  /** Binds tickets to what a user's row says. */
  readonly binding: KeyObject
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
export function readKeys(secret: unknown): Keys {
  const secrets: unknown[] = Array.isArray(secret) ? secret : [secret]
  const [first, ...rest] = secrets.map((text, index) =>
    readSecret(Array.isArray(secret) ? `ticket.secret[${String(index)}]` : 'ticket.secret', text),
  )
  if (first === undefined)
    throw new InvalidOptionError('ticket.secret', 'a secret, or several', secret)
  const tickets: [TicketKey, ...TicketKey[]] = [ticketKey(first), ...rest.map(ticketKey)]
  return { tickets, binding: derive(first, 'bind'), limits: derive(first, 'limit') }
}

function readSecret(option: string, text: unknown): Uint8Array {
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

function ticketKey(secret: Uint8Array): TicketKey {
  return {
    kid: derive(secret, 'kid').export().toString('base64url').slice(0, 8),
    signing: createSecretKey(secret),
  }
}

/** RFC 5869; a purpose of its own for each derived key. */
function derive(secret: Uint8Array, purpose: string): KeyObject {
  const key = hkdfSync('sha256', secret, '', `perspective/1/${purpose}`, 32)
  return createSecretKey(new Uint8Array(key))
}

/** A keyed digest as text; parts cannot run into each other. */
export function digest(key: KeyObject, parts: readonly string[], bytes: number): string {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(`${String(part.length)}:`).update(part)
  return hmac.digest().subarray(0, bytes).toString('base64url')
}
