/** Source: `ScryptPasswordHasher`. */
import { type Hasher, type HasherCosts, type ScryptRecipe, SPEND_SALT, toBase64 } from './hasher.js'
import { makeSalt } from './salt.js'

/** OpenSSL's own limit, which Django keeps (`maxmem = 0`): what needs more raises there. */
export const SCRYPT_MEMORY_BYTES: number = 32 * 1024 * 1024
/** N·r·p; thirteen times Django's default. OpenSSL has no such limit, and p alone could take an hour. */
const MAX_WORK = 2 ** 23

/** The bounds of RFC 7914 section 6, and ours. */
export function isScryptCost({
  workFactor: n,
  blockSize: r,
  parallelism: p,
}: HasherCosts['scrypt']): boolean {
  if (![n, r, p].every((value) => Number.isInteger(value) && value >= 1)) return false
  if (n < 2 || !Number.isInteger(Math.log2(n))) return false
  if (n >= 2 ** (16 * r)) return false
  return 128 * r * (n + 2 + p) <= SCRYPT_MEMORY_BYTES && n * r * p <= MAX_WORK
}

// Only as Django writes it: verification re-encodes.
const FORM = /^scrypt\$([1-9]\d{0,8})\$([^$]+)\$([1-9]\d{0,8})\$([1-9]\d{0,8})\$[^$]*$/

export const scryptHasher: Hasher = {
  parse(encoded) {
    const match = FORM.exec(encoded)
    if (match === null) return null
    const [, workFactor, salt = '', blockSize, parallelism] = match
    const costs = {
      workFactor: Number(workFactor),
      blockSize: Number(blockSize),
      parallelism: Number(parallelism),
    }
    if (!isScryptCost(costs)) return null
    const prefix = ['scrypt', workFactor, salt, blockSize, parallelism].join('$')
    return {
      recipe: { kind: 'scrypt', salt, ...costs },
      encode: (key) => `${prefix}$${toBase64(key)}`,
    }
  },
  spend: ({ scrypt }): ScryptRecipe => ({ kind: 'scrypt', salt: SPEND_SALT, ...scrypt }),
  harden: () => null,
  isOutdated: (recipe, { scrypt }) =>
    recipe.kind === 'scrypt' &&
    (recipe.workFactor !== scrypt.workFactor ||
      recipe.blockSize !== scrypt.blockSize ||
      recipe.parallelism !== scrypt.parallelism),
  draft: ({ scrypt: { workFactor, blockSize, parallelism } }) =>
    `scrypt$${String(workFactor)}$${makeSalt()}$${String(blockSize)}$${String(parallelism)}$`,
}
