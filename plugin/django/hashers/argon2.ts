/** Source: `Argon2PasswordHasher`; the text after `argon2` is that of the reference, `decode_string` in encoding.c. */
import { type Argon2Recipe, type Hasher, type HasherCosts, SPEND_SALT } from './hasher.js'
import { isWeakSalt, makeSalt } from './salt.js'

/** 1 GiB, ten times Django's default, of which every worker may hold one. */
const MAX_MEMORY_KIB = 1_048_576
/** KiB times passes; twenty times Django's default. */
const MAX_WORK = 4_194_304
const MAX_LANES = 255
/** Bytes; the column has 128 characters for all of it. */
const MAX_LENGTH = 512
/** Bytes of a new key: argon2-cffi's since 21.2, of 2021. */
const KEY_LENGTH = 32

/** The bounds of RFC 9106 section 3.1, and ours. */
export function isArgon2Cost({
  timeCost,
  memoryCost,
  parallelism,
}: HasherCosts['argon2']): boolean {
  return (
    [timeCost, memoryCost, parallelism].every((value) => Number.isInteger(value) && value >= 1) &&
    parallelism <= MAX_LANES &&
    memoryCost >= 8 * parallelism &&
    memoryCost <= MAX_MEMORY_KIB &&
    memoryCost * timeCost <= MAX_WORK
  )
}

const FORM =
  /^argon2\$(argon2(?:id|i|d))((?:\$v=(?:16|19))?)\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,7})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

export const argon2Hasher: Hasher = {
  parse(encoded) {
    const match = FORM.exec(encoded)
    if (match === null) return null
    const [, type, version, memory, time, lanes, saltText = '', keyText = ''] = match
    const costs = {
      memoryCost: Number(memory),
      timeCost: Number(time),
      parallelism: Number(lanes),
    }
    const salt = Buffer.from(saltText, 'base64')
    const length = Buffer.from(keyText, 'base64').length
    if (!isArgon2Cost(costs)) return null
    if (salt.length < 8 || salt.length > MAX_LENGTH || length < 4 || length > MAX_LENGTH)
      return null
    const prefix = `argon2$${String(type)}${String(version)}$m=${String(memory)},t=${String(time)},p=${String(lanes)}`
    return {
      recipe: {
        kind: 'argon2',
        type: type as Argon2Recipe['type'],
        // Texts of before version 1.3 name none.
        version: version === '$v=19' ? 19 : 16,
        ...costs,
        // A copy: a Buffer may be a view of a pool, all of which would cross to the worker.
        salt: new Uint8Array(salt),
        length,
      },
      // The salt from its bytes: another text of the same bytes is none that the reference reads.
      encode: (key) => [prefix, toBareBase64(salt), toBareBase64(key)].join('$'),
    }
  },
  spend: ({ argon2 }): Argon2Recipe => ({
    kind: 'argon2',
    type: 'argon2id',
    version: 19,
    ...argon2,
    salt: new TextEncoder().encode(SPEND_SALT),
    length: KEY_LENGTH,
  }),
  harden: () => null,
  // A salt's length is no parameter, but it can be weak.
  isOutdated: (recipe, { argon2 }) =>
    recipe.kind === 'argon2' &&
    (recipe.type !== 'argon2id' ||
      recipe.version !== 19 ||
      recipe.length !== KEY_LENGTH ||
      recipe.timeCost !== argon2.timeCost ||
      recipe.memoryCost !== argon2.memoryCost ||
      recipe.parallelism !== argon2.parallelism ||
      isWeakSalt(recipe.salt.length)),
  draft: ({ argon2: { timeCost, memoryCost, parallelism } }) => {
    const costs = `m=${String(memoryCost)},t=${String(timeCost)},p=${String(parallelism)}`
    const salt = toBareBase64(new TextEncoder().encode(makeSalt()))
    const noKey = toBareBase64(new Uint8Array(KEY_LENGTH))
    return ['argon2', 'argon2id', 'v=19', costs, salt, noKey].join('$')
  },
}

function toBareBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}
