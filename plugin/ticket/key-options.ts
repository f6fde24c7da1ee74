/** The option `ticket.keys`: keys with names of their own, and pairs, so that one service can mint and another admit. */
import {
  type JsonWebKeyInput,
  KeyObject,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
} from 'node:crypto'
import { InvalidOptionError } from '../django/index.js'
import { refuseUnknown } from '../read-option.js'
import { type Keys, deriveKeys, readSecret } from './keys.js'
import type { SigningKey } from './signed-claims.js'

// By way of the input: @types/node has the type of a JWK under another name since 26.
/** PEM, JWK, or a key object of node:crypto. */
export type KeySource = string | JsonWebKeyInput['key'] | KeyObject

/** One key of several, for services that mint and services that admit. */
export interface TicketKey {
  /** Names the key in a ticket's header: 1 to 64 characters, told to everybody. */
  readonly kid: string
  /** The one algorithm of this key. ES256 is P-256, EdDSA Ed25519. */
  readonly alg: 'HS256' | 'ES256' | 'EdDSA'
  /** `mint`: signs tickets, and admits them; one key at most. `admit`: admits them. */
  readonly use: 'mint' | 'admit'
  /** Of HS256: at least 32 bytes. */
  readonly secret?: string
  /** Of a pair that mints. */
  readonly privateKey?: KeySource
  /** Of a pair that admits. */
  readonly publicKey?: KeySource
}

interface ReadKey {
  /** Signs where it mints, else checks. */
  readonly own: SigningKey
  readonly admitting: SigningKey
  readonly isMinting: boolean
  /** Of HS256. */
  readonly secret: Uint8Array | null
}

const NAMES: ReadonlySet<string> = new Set([
  ...['kid', 'alg', 'use', 'secret', 'privateKey', 'publicKey'],
])
const CURVES = { ES256: 'prime256v1', EdDSA: 'ed25519' } as const

/**
 * Reads `ticket.keys` and `ticket.bindingSecret`.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID` - names the option, what was expected and what kind came; never a key.
 */
export function readKeyList(keys: unknown, bindingSecret: unknown): Keys {
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new InvalidOptionError('ticket.keys', 'a list of keys, of which one may mint', keys)
  }
  const read = (keys as unknown[]).map((key, index) =>
    readKey(`ticket.keys[${String(index)}]`, key),
  )
  const admitting = new Map<string, SigningKey>()
  for (const [index, { admitting: key }] of read.entries()) {
    const option = `ticket.keys[${String(index)}].kid`
    if (admitting.has(key.kid)) {
      throw new InvalidOptionError(option, 'a name that no other key has', key.kid, 'one twice')
    }
    admitting.set(key.kid, key)
  }
  const [minting, another] = read.filter(({ isMinting }) => isMinting)
  if (another !== undefined) {
    throw new InvalidOptionError('ticket.keys', 'one key that mints', keys, 'several')
  }
  return { minting: minting?.own ?? null, admitting, ...readBinding(read, minting, bindingSecret) }
}

function readBinding(
  keys: readonly ReadKey[],
  minting: ReadKey | undefined,
  bindingSecret: unknown,
): Omit<Keys, 'minting' | 'admitting'> {
  const isPair = keys.some(({ secret }) => secret === null)
  // A public key must bind nothing, and a private one is not there where tickets are admitted.
  if (isPair || bindingSecret !== undefined) {
    return deriveKeys(readSecret('ticket.bindingSecret', bindingSecret), [])
  }
  const inOrder = minting === undefined ? keys : [minting, ...keys.filter((key) => key !== minting)]
  const [first, ...rest] = inOrder.flatMap(({ secret }) => (secret === null ? [] : [secret]))
  return deriveKeys(first ?? readSecret('ticket.bindingSecret', bindingSecret), rest)
}

function readKey(option: string, given: unknown): ReadKey {
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError(option, '{ kid, alg, use, … }', given)
  }
  refuseUnknown(`${option}.`, given, NAMES)
  const { kid, alg, use, secret, privateKey, publicKey } = given as Partial<
    Record<keyof TicketKey, unknown>
  >
  if (typeof kid !== 'string' || kid === '' || kid.length > 64) {
    throw new InvalidOptionError(`${option}.kid`, 'a text of 1 to 64 characters', kid)
  }
  if (use !== 'mint' && use !== 'admit') {
    throw new InvalidOptionError(`${option}.use`, '"mint" or "admit"', use)
  }
  const isMinting = use === 'mint'
  if (alg === 'HS256') {
    refuseOther(option, 'secret', { privateKey, publicKey })
    const bytes = readSecret(`${option}.secret`, secret)
    const key = { kid, alg, key: createSecretKey(bytes) }
    return { own: key, admitting: key, isMinting, secret: bytes }
  }
  if (alg !== 'ES256' && alg !== 'EdDSA') {
    throw new InvalidOptionError(`${option}.alg`, '"HS256", "ES256" or "EdDSA"', alg)
  }
  if (isMinting) {
    refuseOther(option, 'privateKey', { secret, publicKey })
    const key = readPairKey(`${option}.privateKey`, privateKey, alg, 'private')
    const admitting = { kid, alg, key: createPublicKey(key) }
    return { own: { kid, alg, key }, admitting, isMinting, secret: null }
  }
  refuseOther(option, 'publicKey', { secret, privateKey })
  const admitting = {
    kid,
    alg,
    key: readPairKey(`${option}.publicKey`, publicKey, alg, 'public'),
  }
  return { own: admitting, admitting, isMinting, secret: null }
}

function refuseOther(option: string, expected: string, others: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(others)) {
    if (value === undefined) continue
    throw new InvalidOptionError(`${option}.${name}`, `only ${expected} here`, value)
  }
}

function readPairKey(
  option: string,
  source: unknown,
  alg: keyof typeof CURVES,
  type: 'private' | 'public',
): KeyObject {
  const expected = `the ${type} key of a pair for ${alg} (${CURVES[alg]}): PEM, JWK or KeyObject`
  const key = toKeyObject(source)
  if (key === null) throw new InvalidOptionError(option, expected, source)
  const curve = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType
  if (key.type !== type || curve !== CURVES[alg]) {
    const got = `a ${key.type} key of ${curve ?? 'no pair'}`
    throw new InvalidOptionError(option, expected, source, got)
  }
  return key
}

/** Null for what is no key at all. Of a private key no public one is made where a public one is asked for. */
function toKeyObject(source: unknown): KeyObject | null {
  if (source instanceof KeyObject) return source
  const isPem = typeof source === 'string'
  if (!isPem && (typeof source !== 'object' || source === null)) return null
  const isPrivate = isPem ? source.includes('PRIVATE KEY') : 'd' in source
  try {
    const input = isPem ? source : { key: source as JsonWebKeyInput['key'], format: 'jwk' as const }
    return isPrivate ? createPrivateKey(input) : createPublicKey(input)
  } catch {
    return null
  }
}
