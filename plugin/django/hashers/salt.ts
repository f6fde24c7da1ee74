/** Salts as Django makes them. Source: `BasePasswordHasher.salt`, `must_update_salt`; `bcrypt.gensalt`. */
import { randomBytes, randomInt } from 'node:crypto'

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** Bits; each character has the logarithm of 62. Django before 3.2 wrote 12 characters. */
const ENTROPY = 128
const LENGTH = Math.ceil(ENTROPY / Math.log2(CHARACTERS.length))

/** 22 letters and digits. */
export function makeSalt(): string {
  return Array.from({ length: LENGTH }, () => CHARACTERS.charAt(randomInt(CHARACTERS.length))).join(
    '',
  )
}

/** Whether Django would write a value anew for its salt alone; `length` in characters. */
export function isWeakSalt(length: number): boolean {
  return length * Math.log2(CHARACTERS.length) < ENTROPY
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BCRYPT_BASE64 = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** 16 bytes in bcrypt's own base64: 22 characters. */
export function makeBcryptSalt(): string {
  return randomBytes(16)
    .toString('base64')
    .replace(/=+$/, '')
    .replace(/./g, (character) => BCRYPT_BASE64.charAt(BASE64.indexOf(character)))
}
