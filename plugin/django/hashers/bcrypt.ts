/** Source: `BCryptSHA256PasswordHasher` and `BCryptPasswordHasher`. */
import type { BcryptRecipe, Hasher, Recipe } from './hasher.js'
import { makeBcryptSalt } from './salt.js'

type BcryptName = 'bcrypt_sha256' | 'bcrypt'

const MIN_ROUNDS = 4
/** Sixteen times Django's work; bcrypt itself allows 31, which takes weeks. */
const MAX_ROUNDS = 16

export function isBcryptRounds(rounds: number): boolean {
  return Number.isInteger(rounds) && rounds >= MIN_ROUNDS && rounds <= MAX_ROUNDS
}

const makePrefix = (rounds: number): string => `$2b$${String(rounds).padStart(2, '0')}$`

function makeHasher(name: BcryptName): Hasher {
  const isDigested = name === 'bcrypt_sha256'
  // The last character of the salt has two bits only. `$2x$` marks the hashes of a broken PHP.
  const form = new RegExp(
    `^${name}\\$(\\$2[aby]\\$(\\d\\d)\\$[./A-Za-z0-9]{21}[.Oeu])[./A-Za-z0-9]{31}$`,
  )
  const makeRecipe = (salt: string, runs: number): BcryptRecipe => ({
    kind: 'bcrypt',
    salt,
    isDigested,
    runs,
  })
  return {
    parse(encoded) {
      const [, salt = '', rounds = ''] = form.exec(encoded) ?? []
      if (!isBcryptRounds(Number(rounds))) return null
      return {
        recipe: makeRecipe(salt, 1),
        encode: (key) => `${name}$${Buffer.from(key).toString('latin1')}`,
      }
    },
    spend: ({ bcrypt }) => makeRecipe(makePrefix(bcrypt.rounds).padEnd(29, '.'), 1),
    harden(recipe, { bcrypt }) {
      if (recipe.kind !== 'bcrypt') return null
      const runs = 2 ** (bcrypt.rounds - roundsOf(recipe)) - 1
      return runs > 0 ? makeRecipe(recipe.salt, runs) : null
    },
    isOutdated: (recipe, { bcrypt }) =>
      recipe.kind === 'bcrypt' && roundsOf(recipe) !== bcrypt.rounds,
    // Plain bcrypt ignores, or refuses, what is beyond 72 bytes: Django can write that by itself.
    draft: ({ bcrypt }) =>
      isDigested
        ? `${name}$${makePrefix(bcrypt.rounds)}${makeBcryptSalt()}${'.'.repeat(31)}`
        : null,
  }
}

const roundsOf = ({ salt }: BcryptRecipe): number => Number(salt.slice(4, 6))

export const bcryptHashers: { readonly [name in BcryptName]: Hasher } = {
  bcrypt_sha256: makeHasher('bcrypt_sha256'),
  bcrypt: makeHasher('bcrypt'),
}

/** bcrypt reads no more of a password; Django's other hashers read all of it. */
const MAX_BYTES = 72

/** Tells whether bcrypt would ignore the end of a password. Its Python package has refused such a one since 5.0. */
export function isCutByBcrypt(recipe: Recipe, password: string): boolean {
  return recipe.kind === 'bcrypt' && !recipe.isDigested && Buffer.byteLength(password) > MAX_BYTES
}
