/** What tickets and renewal tokens share: how a JWT of ours is signed and read (RFC 7519; RFC 8725 for what is checked). */
import type { KeyObject } from 'node:crypto'
import { SignJWT, jwtVerify } from 'jose'

/** A key, and the one algorithm that it is used with. */
export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly key: KeyObject
}

/** What all tokens of one kind have in common. */
export interface TokenKind {
  /** Header `typ`: no token of one kind is ever taken for one of the other. */
  readonly type: string
  readonly issuer: string
  readonly audience: string
  /** The longest that one of them lives. */
  readonly lifetimeSeconds: number
  /** The claims that are text, beside `iss` and `aud`; all must be there. */
  readonly texts: readonly string[]
  /** The claims that are numbers, beside `iat` and `exp`; all must be there. */
  readonly numbers: readonly string[]
}

/** No token of ours is near it; what is longer is not looked at. */
const MAX_LENGTH = 1024
/** Clocks of one machine; several may differ by so much. */
export const CLOCK_TOLERANCE_SECONDS = 5

/** Signs claims, `iat` and `exp` among them. */
export function signClaims(
  { kid, alg, key }: SigningKey,
  { type, issuer, audience }: TokenKind,
  claims: Readonly<Record<string, string | number>>,
): Promise<string> {
  return new SignJWT({ ...claims, iss: issuer, aud: audience })
    .setProtectedHeader({ alg, typ: type, kid })
    .sign(key)
}

/**
 * Reads a token; null for every fault: malformed, another algorithm, key, type, issuer or audience, expired, from the
 * future, or a claim that is missing or of another form. The signature covers the claims and not the text.
 *
 * @param keys - By `kid`: a Map, so that no name of an object's own is a key.
 * @param nowMs - Since 1970.
 */
export async function readClaims(
  token: string,
  keys: ReadonlyMap<string, SigningKey>,
  kind: TokenKind,
  nowMs: number,
): Promise<Readonly<Record<string, string | number>> | null> {
  if (token.length > MAX_LENGTH || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return null
  const { texts, numbers, lifetimeSeconds } = kind
  try {
    const { payload } = await jwtVerify(token, ({ kid, alg }) => keyOf(keys, kid, alg), {
      algorithms: [...new Set([...keys.values()].map(({ alg }) => alg))],
      typ: kind.type,
      issuer: kind.issuer,
      audience: kind.audience,
      requiredClaims: ['iss', 'aud', 'iat', 'exp', ...texts, ...numbers],
      maxTokenAge: lifetimeSeconds,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(nowMs),
    })
    const claims = payload as Record<string, unknown>
    const isText = ['aud', ...texts].every((name) => typeof claims[name] === 'string')
    const isNumber = ['iat', 'exp', ...numbers].every((name) => Number.isFinite(claims[name]))
    if (!isText || !isNumber) return null
    const { iat, exp } = payload as { iat: number; exp: number }
    if (exp - iat > lifetimeSeconds + 0.001) return null
    return claims as Record<string, string | number>
  } catch {
    return null
  }
}

function keyOf(keys: ReadonlyMap<string, SigningKey>, kid: unknown, alg: unknown): KeyObject {
  const found = typeof kid === 'string' ? keys.get(kid) : undefined
  // RFC 8725 section 3.1: each key is for exactly one algorithm.
  if (found === undefined || found.alg !== alg) throw new Error('a key that is not ours')
  return found.key
}
