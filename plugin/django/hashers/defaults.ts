/**
 * What each Django does when its settings say nothing. Sources: `PASSWORD_HASHERS` in
 * `django/conf/global_settings.py`, the class attributes in `django/contrib/auth/hashers.py`.
 */
import type { HasherCosts, HasherName } from './hasher.js'

/** From the oldest whose hashes still pass unchanged to the newest that was read. */
export type DjangoVersion = '3.2' | '4.0' | '4.1' | '4.2' | '5.0' | '5.1' | '5.2' | '6.0' | '6.1'

/** What a Django does with passwords when its settings say nothing. */
export interface PasswordDefaults {
  /** PASSWORD_HASHERS, the preferred one first. */
  readonly hashers: readonly HasherName[]
  /** Of its PBKDF2 hashers. */
  readonly iterations: number
  /** Of the other hashers. */
  readonly costs: Omit<HasherCosts, 'iterations'>
}

const ITERATIONS: { readonly [version in DjangoVersion]: number } = {
  '3.2': 260_000,
  '4.0': 320_000,
  '4.1': 390_000,
  '4.2': 600_000,
  '5.0': 720_000,
  '5.1': 870_000,
  '5.2': 1_000_000,
  '6.0': 1_200_000,
  '6.1': 1_500_000,
}

const HASHERS: readonly HasherName[] = ['pbkdf2_sha256', 'pbkdf2_sha1', 'argon2', 'bcrypt_sha256']

export const DJANGO_VERSIONS: readonly DjangoVersion[] = Object.keys(ITERATIONS) as DjangoVersion[]

/** The newest long-term support. */
export const DEFAULT_VERSION: DjangoVersion = '5.2'

/** What the Django of that `version` does when its settings say nothing. */
export function readPasswordDefaults(version: DjangoVersion): PasswordDefaults {
  const isSince = (first: DjangoVersion): boolean =>
    DJANGO_VERSIONS.indexOf(version) >= DJANGO_VERSIONS.indexOf(first)
  return {
    hashers: isSince('4.0') ? [...HASHERS, 'scrypt'] : HASHERS,
    iterations: ITERATIONS[version],
    costs: {
      argon2: { timeCost: 2, memoryCost: 102_400, parallelism: 8 },
      bcrypt: { rounds: 12 },
      scrypt: { workFactor: 2 ** 14, blockSize: 8, parallelism: isSince('5.1') ? 5 : 1 },
    },
  }
}
