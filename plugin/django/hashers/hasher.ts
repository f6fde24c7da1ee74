/** The words that the hashers share. A recipe crosses to a worker thread: plain data only. */

/** `algorithm` of Django's hasher classes; the last two are the recipes of its manual for upgrading old tables. */
export type HasherName =
  | 'pbkdf2_sha256'
  | 'pbkdf2_sha1'
  | 'argon2'
  | 'bcrypt_sha256'
  | 'bcrypt'
  | 'scrypt'
  | 'md5'
  | 'sha1'
  | 'unsalted_md5'
  | 'unsalted_sha1'
  | 'pbkdf2_wrapped_md5'
  | 'pbkdf2_wrapped_sha1'

export interface Pbkdf2Recipe {
  readonly kind: 'pbkdf2'
  readonly digest: 'sha256' | 'sha1'
  /** Hashes the password, salt before it, and derives from the digest's hex text. */
  readonly inner: 'md5' | 'sha1' | null
  /** Text, used as its UTF-8 bytes; never base64. So in every recipe that has a text here. */
  readonly salt: string
  readonly iterations: number
}

export interface ScryptRecipe {
  readonly kind: 'scrypt'
  readonly salt: string
  /** N, r and p of RFC 7914. */
  readonly workFactor: number
  readonly blockSize: number
  readonly parallelism: number
}

export interface Argon2Recipe {
  readonly kind: 'argon2'
  readonly type: 'argon2d' | 'argon2i' | 'argon2id'
  /** 16 is version 1.0, 19 is 1.3. */
  readonly version: 16 | 19
  readonly timeCost: number
  /** KiB. */
  readonly memoryCost: number
  readonly parallelism: number
  readonly salt: Uint8Array
  /** Bytes of the key. */
  readonly length: number
}

/** Its key is the whole text, `$2b$12$…`, in ASCII. */
export interface BcryptRecipe {
  readonly kind: 'bcrypt'
  /** `$2b$12$` and 22 characters. */
  readonly salt: string
  /** Hashes the hex text of the password's SHA-256 instead of the password. */
  readonly isDigested: boolean
  /** How often, each time the same. */
  readonly runs: number
}

export interface DigestRecipe {
  readonly kind: 'digest'
  readonly digest: 'md5' | 'sha1'
  /** Goes before the password. */
  readonly salt: string
}

export type Recipe = Pbkdf2Recipe | ScryptRecipe | Argon2Recipe | BcryptRecipe | DigestRecipe

/** What a stored text asks for, and how a derived key is written as such a text. */
export interface ParsedHash {
  readonly recipe: Recipe
  encode(key: Uint8Array): string
}

/** Parameters of the site's hasher classes, by Django's names for them. */
export interface HasherCosts {
  /** Of every PBKDF2 hasher. */
  readonly iterations: number
  readonly argon2: {
    readonly timeCost: number
    /** KiB. */
    readonly memoryCost: number
    readonly parallelism: number
  }
  /** Logarithm: one more doubles the work. */
  readonly bcrypt: { readonly rounds: number }
  readonly scrypt: {
    readonly workFactor: number
    readonly blockSize: number
    readonly parallelism: number
  }
}

export interface Hasher {
  /** Reads a stored text of this hasher; null where no password can match it, or it asks for more than is allowed. */
  parse(encoded: string): ParsedHash | null
  /** What one new password costs the site. */
  spend(costs: HasherCosts): Recipe
  /** What a wrong password must still spend to cost as much as a new one; null: nothing, or not known. */
  harden(recipe: Recipe, costs: HasherCosts): Recipe | null
  /** Whether the site would write such a value anew, were this its preferred hasher. Source: `must_update`. */
  isOutdated(recipe: Recipe, costs: HasherCosts): boolean
  /** A text that `parse` takes, of a new salt and of no key yet. Null: nothing is written with this hasher. */
  draft(costs: HasherCosts): string | null
}

/** As long as Django's own salts, so that it costs the same. */
export const SPEND_SALT = 'onlyForTheSameRunTimeX'

/** Standard base64, padded, as Python's `b64encode`. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
