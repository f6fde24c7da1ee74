/** The parameters inside an encoded pbkdf2_sha256 password. */
export interface Pbkdf2Parameters {
  readonly iterations: number
  /** Text, used as its UTF-8 bytes; never base64. */
  readonly salt: string
}

/** Six times Django 6.1's count: a row of the database must not be able to occupy a worker for minutes. */
export const MAX_ITERATIONS = 10_000_000

/**
 * Reads the parameters of `pbkdf2_sha256$<iterations>$<salt>$<base64>`. Null for anything that no password can match:
 * another label, unusable (`!`), malformed, an iteration count above {@link MAX_ITERATIONS} or not written as Django
 * writes it (verification re-encodes, so `01000` never matches).
 */
export function parsePbkdf2(encoded: string): Pbkdf2Parameters | null {
  const match = /^pbkdf2_sha256\$([1-9]\d{0,7})\$([^$]+)\$/.exec(encoded)
  if (match === null) return null
  const [, digits = '', salt = ''] = match
  const iterations = Number(digits)
  return iterations <= MAX_ITERATIONS ? { iterations, salt } : null
}

/** Writes a derived key as Django stores it: standard base64, padded. */
export function encodePbkdf2({ iterations, salt }: Pbkdf2Parameters, key: Uint8Array): string {
  return `pbkdf2_sha256$${String(iterations)}$${salt}$${Buffer.from(key).toString('base64')}`
}
