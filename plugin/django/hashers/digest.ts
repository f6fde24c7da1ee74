/** Source: `MD5PasswordHasher`; of Django before 5.1 `SHA1PasswordHasher` and the two unsalted ones. */
import { type DigestRecipe, type Hasher, SPEND_SALT } from './hasher.js'
import { isWeakSalt } from './salt.js'

type DigestName = 'md5' | 'sha1' | 'unsalted_md5' | 'unsalted_sha1'

const toHex = (key: Uint8Array): string => Buffer.from(key).toString('hex')

function makeHasher(
  digest: DigestRecipe['digest'],
  isSalted: boolean,
  readPrefix: (encoded: string) => { prefix: string; salt: string } | null,
): Hasher {
  return {
    parse(encoded) {
      const read = readPrefix(encoded)
      if (read === null) return null
      return {
        recipe: { kind: 'digest', digest, salt: read.salt },
        encode: (key) => read.prefix + toHex(key),
      }
    },
    spend: () => ({ kind: 'digest', digest, salt: SPEND_SALT }),
    harden: () => null,
    isOutdated: (recipe) =>
      recipe.kind === 'digest' && isSalted && isWeakSalt(Array.from(recipe.salt).length),
    draft: () => null,
  }
}

function readSalted(encoded: string): { prefix: string; salt: string } | null {
  const [prefix, salt] = /^\w+\$([^$]+)\$/.exec(encoded) ?? []
  return prefix === undefined || salt === undefined ? null : { prefix, salt }
}

export const digestHashers: { readonly [name in DigestName]: Hasher } = {
  md5: makeHasher('md5', true, readSalted),
  sha1: makeHasher('sha1', true, readSalted),
  unsalted_md5: makeHasher('md5', false, (encoded) => ({
    prefix: encoded.startsWith('md5$$') ? 'md5$$' : '',
    salt: '',
  })),
  unsalted_sha1: makeHasher('sha1', false, () => ({ prefix: 'sha1$$', salt: '' })),
}
