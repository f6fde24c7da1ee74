/** Which hasher a stored text is of. Source: `identify_hasher`. */
import { argon2Hasher } from './argon2.js'
import { bcryptHashers } from './bcrypt.js'
import { digestHashers } from './digest.js'
import type { Hasher, HasherName, ParsedHash } from './hasher.js'
import { pbkdf2Hashers } from './pbkdf2.js'
import { scryptHasher } from './scrypt.js'

/** By the name that Django's class has. */
export const HASHERS: { readonly [name in HasherName]: Hasher } = {
  pbkdf2_sha256: pbkdf2Hashers.pbkdf2_sha256,
  pbkdf2_sha1: pbkdf2Hashers.pbkdf2_sha1,
  argon2: argon2Hasher,
  bcrypt_sha256: bcryptHashers.bcrypt_sha256,
  bcrypt: bcryptHashers.bcrypt,
  scrypt: scryptHasher,
  md5: digestHashers.md5,
  sha1: digestHashers.sha1,
  unsalted_md5: digestHashers.unsalted_md5,
  unsalted_sha1: digestHashers.unsalted_sha1,
  pbkdf2_wrapped_md5: pbkdf2Hashers.pbkdf2_wrapped_md5,
  pbkdf2_wrapped_sha1: pbkdf2Hashers.pbkdf2_wrapped_sha1,
}

export const HASHER_NAMES: readonly HasherName[] = Object.keys(HASHERS) as HasherName[]

/**
 * What is known of a stored text. `hidden`: unusable, empty, or of no hasher there is; says nothing to anybody.
 * `disabled`: the site's list lacks its hasher. `malformed`: its own hasher cannot have written it, or it asks for more
 * work than is allowed.
 */
export type Identified =
  | { readonly is: 'hidden' }
  | { readonly is: 'disabled' | 'malformed'; readonly name: HasherName }
  | { readonly is: 'usable'; readonly name: HasherName; readonly hash: ParsedHash }

/** Django's column has 128 characters; a longer one costs time to read. */
const MAX_LENGTH = 1024

export function identifyHash(encoded: string, enabled: readonly HasherName[]): Identified {
  // Deactivated by a prefix: it would be a good hash without it. A column's NULL is none, either.
  if (typeof encoded !== 'string' || encoded.startsWith('!')) return { is: 'hidden' }
  const label = readLabel(encoded)
  const name = HASHER_NAMES.find((known) => known === label)
  if (name === undefined) return { is: 'hidden' }
  if (!enabled.includes(name)) return { is: 'disabled', name }
  const hash = encoded.length > MAX_LENGTH ? null : HASHERS[name].parse(encoded)
  return hash === null ? { is: 'malformed', name } : { is: 'usable', name, hash }
}

// Code points, as Python counts; of what is longer than any of these it does not matter.
function readLabel(encoded: string): string {
  const length = encoded.length > 100 ? encoded.length : Array.from(encoded).length
  if (length === 32 && !encoded.includes('$')) return 'unsalted_md5'
  if (length === 37 && encoded.startsWith('md5$$')) return 'unsalted_md5'
  if (length === 46 && encoded.startsWith('sha1$$')) return 'unsalted_sha1'
  const end = encoded.indexOf('$')
  return end < 0 ? encoded : encoded.slice(0, end)
}
