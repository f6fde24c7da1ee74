/** Source: `PBKDF2PasswordHasher` and `PBKDF2SHA1PasswordHasher`; the wrapped ones: docs/topics/auth/passwords.txt. */
import { type Hasher, type Pbkdf2Recipe, SPEND_SALT, toBase64 } from './hasher.js'
import { isWeakSalt, makeSalt } from './salt.js'

type Pbkdf2Name = 'pbkdf2_sha256' | 'pbkdf2_sha1' | 'pbkdf2_wrapped_md5' | 'pbkdf2_wrapped_sha1'

/** Six times Django 6.1's count: a row of the database must not be able to occupy a worker for minutes. */
export const MAX_ITERATIONS = 10_000_000

function makeHasher(
  name: Pbkdf2Name,
  digest: Pbkdf2Recipe['digest'],
  inner: Pbkdf2Recipe['inner'],
): Hasher {
  // Only as Django writes it: verification re-encodes, so `01000` never matches.
  const form = new RegExp(`^${name}\\$([1-9]\\d{0,7})\\$([^$]+)\\$`)
  const makeRecipe = (salt: string, iterations: number): Pbkdf2Recipe => ({
    kind: 'pbkdf2',
    digest,
    inner,
    salt,
    iterations,
  })
  return {
    parse(encoded) {
      const [, digits = '', salt = ''] = form.exec(encoded) ?? []
      const iterations = Number(digits)
      if (salt === '' || iterations > MAX_ITERATIONS) return null
      return {
        recipe: makeRecipe(salt, iterations),
        encode: (key) => `${name}$${digits}$${salt}$${toBase64(key)}`,
      }
    },
    spend: ({ iterations }) => makeRecipe(SPEND_SALT, iterations),
    harden(recipe, costs) {
      if (recipe.kind !== 'pbkdf2') return null
      const missing = costs.iterations - recipe.iterations
      return missing > 0 ? makeRecipe(recipe.salt, missing) : null
    },
    // Either way: Django lowers a hardened count, too.
    isOutdated: (recipe, costs) =>
      recipe.kind === 'pbkdf2' &&
      (recipe.iterations !== costs.iterations || isWeakSalt(Array.from(recipe.salt).length)),
    draft: ({ iterations }) =>
      inner === null ? `${name}$${String(iterations)}$${makeSalt()}$` : null,
  }
}

export const pbkdf2Hashers: { readonly [name in Pbkdf2Name]: Hasher } = {
  pbkdf2_sha256: makeHasher('pbkdf2_sha256', 'sha256', null),
  pbkdf2_sha1: makeHasher('pbkdf2_sha1', 'sha1', null),
  pbkdf2_wrapped_md5: makeHasher('pbkdf2_wrapped_md5', 'sha256', 'md5'),
  pbkdf2_wrapped_sha1: makeHasher('pbkdf2_wrapped_sha1', 'sha256', 'sha1'),
}
