/**
 * Proof of a password without the password: SCRAM (RFC 5802, RFC 7677) on what Django stores, whose `pbkdf2_sha256` is
 * SCRAM's SaltedPassword. Not SCRAM-SHA-256 as others know it: no SASLprep, and messages of our own.
 *
 * SCRAM would store a digest of a digest of it. Django stores the thing itself, so whoever reads the column can log in
 * without knowing any password.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { HasherName } from './hashers/hasher.js'
import { identifyHash } from './hashers/identify.js'

/** What a page must know to derive the key of a password. */
export interface SaltedPassword {
  /** Text, used as its UTF-8 bytes. */
  readonly salt: string
  readonly iterations: number
  /** 32 bytes; as good as the password. */
  readonly key: Uint8Array
}

/** Django has 100,000 and more since 2.0; fewer would make a proof that somebody has overheard cheap to guess from. */
export const MIN_PROOF_ITERATIONS = 100_000

/** Reads the text of the password column; null where the password cannot be proved: of another hasher, or too cheap. */
export function readSaltedPassword(
  encoded: string,
  hashers: readonly HasherName[],
): SaltedPassword | null {
  const identified = identifyHash(encoded, hashers)
  if (identified.is !== 'usable' || identified.name !== 'pbkdf2_sha256') return null
  const { hash } = identified
  const { recipe } = hash
  if (recipe.kind !== 'pbkdf2' || recipe.iterations < MIN_PROOF_ITERATIONS) return null
  const { salt, iterations } = recipe
  const key = Buffer.from(encoded.slice(encoded.lastIndexOf('$') + 1), 'base64')
  // Written in any other way it is nobody's password, as for checkPassword.
  return key.length === 32 && hash.encode(key) === encoded ? { salt, iterations, key } : null
}

/** Computes the ClientProof of RFC 5802 section 3 for a message. */
export function clientProof(saltedPassword: Uint8Array, message: string): Buffer {
  const clientKey = createHmac('sha256', saltedPassword).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest()
  const signature = createHmac('sha256', storedKey).update(message).digest()
  return Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)))
}

/** Tells in constant time whether a proof is the one of this key and message. */
export function isProof(proof: Uint8Array, saltedPassword: Uint8Array, message: string): boolean {
  const expected = clientProof(saltedPassword, message)
  return proof.length === expected.length && timingSafeEqual(proof, expected)
}
