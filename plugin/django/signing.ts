/** What Django signs. Source: `django/core/signing.py`, `salted_hmac` in `django/utils/crypto.py`. */
import { createHash, createHmac } from 'node:crypto'
import { isEqualText } from './equal-text.js'

/** SECRET_KEY, as text or, where it is none, as bytes. */
export type SecretKey = string | Uint8Array

/** The HMAC of a value under a key derived from salt and secret; SHA-256 in both, as Django since 3.1. */
export function saltedHmac(salt: string, value: string, secretKey: SecretKey): Buffer {
  const key = createHash('sha256').update(salt).update(secretKey).digest()
  return createHmac('sha256', key).update(value).digest()
}

/**
 * Takes signature and timestamp off `value:timestamp:signature`. Null where no key has signed it. The timestamp is in
 * seconds since 1970. Source: `TimestampSigner.unsign`.
 */
export function unsign(
  signed: string,
  salt: string,
  keys: readonly SecretKey[],
): { readonly value: string; readonly timestamp: number } | null {
  const [body, signature] = splitLast(signed)
  if (body === null) return null
  const isSigned = keys.some((key) =>
    isEqualText(saltedHmac(`${salt}signer`, body, key).toString('base64url'), signature),
  )
  if (!isSigned) return null
  const [value, digits] = splitLast(body)
  const timestamp = decodeBase62(digits)
  return value === null || timestamp === null ? null : { value, timestamp }
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Null for what is no number. Source: `b62_decode`. */
export function decodeBase62(text: string): number | null {
  const digits = text.startsWith('-') ? text.slice(1) : text
  if (!/^[0-9A-Za-z]+$/.test(digits)) return null
  let number = 0
  for (const digit of digits) number = number * 62 + BASE62.indexOf(digit)
  return text === digits ? number : -number
}

function splitLast(text: string): [before: string | null, after: string] {
  const index = text.lastIndexOf(':')
  return index < 0 ? [null, text] : [text.slice(0, index), text.slice(index + 1)]
}
