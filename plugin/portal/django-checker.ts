/** The checker of Django's own passwords. */
import { networkOf } from '../login/address.js'
import { type DjangoUsers, type PasswordOptions, authenticate } from '../django/index.js'
import {
  type Authority,
  type CheckContext,
  type CheckedUser,
  type Checker,
  DJANGO,
  type SentCredentials,
} from './portal.js'

/** Django's `username` has 150 characters, an e-mail address 254; a longer one is nobody's. */
const MAX_USERNAME_LENGTH = 254
/** Django has no limit of its own; a longer one is an attack on the hasher. */
const MAX_PASSWORD_LENGTH = 4096

export class DjangoChecker implements Checker {
  readonly name: string = DJANGO
  readonly types: readonly string[] = ['password']
  readonly #users: DjangoUsers
  readonly #passwords: PasswordOptions
  readonly #maxUsernameLength: number

  /** `passwords`: what the site's settings say of them, and who hears of stored ones that should not be there. */
  constructor(users: DjangoUsers, passwords: PasswordOptions) {
    this.#users = users
    this.#passwords = passwords
    this.#maxUsernameLength = Math.max(MAX_USERNAME_LENGTH, users.usernameMaxLength)
  }

  async check(
    credentials: SentCredentials,
    { ip, signal }: CheckContext,
  ): Promise<CheckedUser | null | undefined> {
    const { type, username, password, ...unknown } = credentials
    if (!isField(username, this.#maxUsernameLength) || !isField(password, MAX_PASSWORD_LENGTH))
      return undefined
    if (type !== 'password' || Object.keys(unknown).length > 0) return undefined
    const account = await authenticate(
      this.#users,
      { username, password },
      { ...this.#passwords, signal, source: networkOf(ip) },
    )
    return account === null ? null : { user: account.user, binding: account.password }
  }

  async load(id: string): Promise<CheckedUser | null> {
    const account = await this.#users.accountWithGroups(id)
    if (account === null) return null
    return { user: account.user, binding: account.password, groups: account.groups }
  }

  accountName({ username }: SentCredentials): string | null {
    return isField(username, this.#maxUsernameLength) ? this.#users.accountName(username) : null
  }

  permissionsOf(id: string): Promise<ReadonlySet<string> | 'all'> {
    return this.#users.grantsOf(id)
  }

  async revalidate(ids: readonly string[]): Promise<ReadonlyMap<string, Authority>> {
    const found = new Map<string, Authority>()
    for (const [id, { isActive, passwordDigest, groups }] of await this.#users.authorityOf(ids)) {
      found.set(id, { isActive, digest: passwordDigest, groups })
    }
    return found
  }
}

function isField(value: unknown, maxLength: number): value is string {
  // NUL and lone surrogates: Django's form refuses the one, Python cannot encode the other.
  return (
    typeof value === 'string' &&
    value.length <= maxLength &&
    !value.includes('\0') &&
    !/\p{Surrogate}/u.test(value)
  )
}
