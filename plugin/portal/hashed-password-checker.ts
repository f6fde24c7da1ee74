/** The checker of Django's passwords that the page does not send: it proves that it can derive what Django has stored. */
import {
  type KeyObject,
  createHmac,
  createSecretKey,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import {
  type DjangoUsers,
  type HasherName,
  InvalidOptionError,
  normalizeUsername,
} from '../django/index.js'
import {
  isProof,
  MIN_PROOF_ITERATIONS,
  readSaltedPassword,
  type SaltedPassword,
} from '../django/hashed-password.js'
import { digest } from '../ticket/keys.js'
import { MemoryLedger, type TicketLedger } from '../ticket/ledger.js'
import type { DjangoChecker } from './django-checker.js'
import { type CheckedUser, type Checker, DJANGO, type SentCredentials } from './portal.js'

export interface Challenge {
  /** To be sent back as it is, and signed by the proof. */
  readonly challenge: string
  readonly salt: string
  readonly iterations: number
  readonly algorithm: 'pbkdf2_sha256'
}

/** What the site's settings say, beside the option. */
export interface HashedPasswordOptions {
  /** Makes the salts of users who have none: the same for ever, or they could be told from real ones. */
  readonly saltKey: KeyObject
  /** Iterations for users who have none: the site's. */
  readonly iterations: number
  readonly hashers: readonly HasherName[]
  readonly now: () => number
}

const HASHED_PASSWORD = 'hashed-password'

const LIFETIME_MS = 60_000
const PROOF_BYTES = 32
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** As long as Django's own since 3.2. */
const SALT_LENGTH = 22

export class HashedPasswordChecker implements Checker {
  readonly name: string = DJANGO
  readonly types: readonly string[] = [HASHED_PASSWORD]
  readonly #users: DjangoUsers
  readonly #django: DjangoChecker
  readonly #options: HashedPasswordOptions
  /** Of this process alone, as is the memory of which challenges were answered. */
  readonly #signing: KeyObject = createSecretKey(randomBytes(32))
  readonly #answered: TicketLedger

  /** @throws InvalidOptionError `PB_ERR_OPT_INVALID`: the site has no passwords that could be proved. */
  constructor(users: DjangoUsers, django: DjangoChecker, options: HashedPasswordOptions) {
    this.#users = users
    this.#django = django
    this.#options = options
    if (!options.hashers.includes('pbkdf2_sha256')) {
      throw new InvalidOptionError(
        'allowPasswordEquivalentHashes',
        'pbkdf2_sha256 in hashers',
        options.hashers,
        'others',
      )
    }
    this.#answered = new MemoryLedger('challenges', options.now)
  }

  /**
   * Makes a challenge for a username, for anyone's: of one form, whether there is such a user or not. Undefined for what
   * can be no username.
   *
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  async challenge(username: unknown): Promise<Challenge | undefined> {
    const name = this.accountName({ type: HASHED_PASSWORD, username })
    if (name === null || typeof username !== 'string') return undefined
    // Made for everybody, so that the time tells nothing either.
    const fake = this.#fake(name)
    const { salt, iterations } = (await this.#find(username))?.password ?? fake
    const expires = (this.#options.now() + LIFETIME_MS).toFixed(0)
    const body = `${randomBytes(16).toString('base64url')}.${expires}`
    const challenge = `${body}.${this.#sign(body, name)}`
    return { challenge, salt, iterations, algorithm: 'pbkdf2_sha256' }
  }

  async check(credentials: SentCredentials): Promise<CheckedUser | null | undefined> {
    const { type, username, challenge, proof, ...unknown } = credentials
    const name = this.accountName(credentials)
    if (name === null || typeof username !== 'string' || type !== HASHED_PASSWORD) return undefined
    if (typeof challenge !== 'string' || typeof proof !== 'string') return undefined
    if (Object.keys(unknown).length > 0) return undefined
    // Before the database: a challenge is for one attempt, whatever comes of it.
    const isFresh = this.#use(challenge, name)
    const fake = this.#fake(name)
    const found = await this.#find(username)
    const { key } = found?.password ?? fake
    const bytes = Buffer.from(proof, 'base64url')
    const isRight = bytes.length === PROOF_BYTES && isProof(bytes, key, challenge)
    return isFresh && isRight && found !== null ? found.account : null
  }

  load(id: string): Promise<CheckedUser | null> {
    return this.#django.load(id)
  }

  accountName(credentials: SentCredentials): string | null {
    return this.#django.accountName(credentials)
  }

  permissionsOf(id: string): Promise<ReadonlySet<string> | 'all'> {
    return this.#django.permissionsOf(id)
  }

  async #find(
    username: string,
  ): Promise<{ account: CheckedUser; password: SaltedPassword } | null> {
    const name = normalizeUsername(username, this.#users.usernameMaxLength)
    const found = name === '' ? null : await this.#users.accountByUsername(name)
    if (found === null) return null
    const password = readSaltedPassword(found.password, this.#options.hashers)
    return password && { account: { user: found.user, binding: found.password }, password }
  }

  #fake(name: string): SaltedPassword {
    const { saltKey } = this.#options
    // Users of fewer are shown such salts, too.
    const iterations = Math.max(this.#options.iterations, MIN_PROOF_ITERATIONS)
    const seed = createHmac('sha256', saltKey).update(name).digest('hex')
    let [rest, salt] = [BigInt(`0x${seed}`), '']
    for (; salt.length < SALT_LENGTH; rest /= 62n) salt += ALPHANUMERIC[Number(rest % 62n)] ?? ''
    return { salt, iterations, key: randomBytes(PROOF_BYTES) }
  }

  #sign(body: string, name: string): string {
    return digest(this.#signing, [body, name], 32)
  }

  /** Whether a challenge is ours, for this name, in time and answered for the first time. */
  #use(challenge: string, name: string): boolean {
    const [nonce = '', expires = '', signature = ''] = challenge.split('.')
    const body = `${nonce}.${expires}`
    const [told, made] = [Buffer.from(signature), Buffer.from(this.#sign(body, name))]
    if (told.length !== made.length || !timingSafeEqual(told, made)) return false
    const untilMs = Number(expires)
    return untilMs > this.#options.now() && this.#answered.use(nonce, untilMs) === true
  }
}
