/**
 * Every quota of one connection, in one place. A peer is never trusted to stay below them: each is
 * checked on what arrives, and on what is sent so that the sender hears of it first.
 */
export interface Limits {
  /** Longest frame either way, in bytes (UTF-16 units where a frame is text). Default 1 MiB, as socket.io's. */
  readonly maxFrameBytes: number
  /** Deepest nesting of arrays, objects, Maps and Sets in one value. Default 64: deeper is a cycle or an attack. */
  readonly maxDepth: number
  /** Calls waiting for an answer, and calls of one tick, each way. Default 4096: about 1 kB each at the callee. */
  readonly maxPendingCalls: number
  /** Objects and functions lent to the peer, and held from it. Default 65 536: about 200 bytes each. */
  readonly maxReferences: number
  /**
   * Calls of the peer in one second; beyond them each is refused. Default 1,000,000: no limit that a benchmark would meet.
   * Changes of mirrored states may copy 100 entries for each of them, a million at least; beyond that is a breach.
   */
  readonly maxCallsPerSecond: number
  /** Live signals received from the peer. Default 4096: as many as calls may be pending. */
  readonly maxSignals: number
  /** Open streams each way. Default 256: with their windows as much as `maxQueuedBytes`. */
  readonly maxStreams: number
  /** What a producer may send of one stream before it is read, in bytes. Default 64 KiB. */
  readonly streamWindowBytes: number
  /** Calls that wait while our root is not there yet. Default 64: a page that has just logged in makes a handful. */
  readonly maxHeldCalls: number
  /** Digits of one bigint. Default 4096: parsing them takes quadratic time. */
  readonly maxBigintDigits: number
  /**
   * Bytes the socket may queue for a peer that does not read; beyond it the peer is dropped with 4413. Of a tick that is longer
   * in answers the results are forgotten; the plugin lets a page's calls that run hold as much. Default 16 MiB.
   */
  readonly maxQueuedBytes: number
}

/** The limits in force unless {@link Limits} says otherwise; frozen. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxFrameBytes: 1_048_576,
  maxDepth: 64,
  maxPendingCalls: 4096,
  maxReferences: 65_536,
  maxCallsPerSecond: 1_000_000,
  maxSignals: 4096,
  maxStreams: 256,
  streamWindowBytes: 65_536,
  maxHeldCalls: 64,
  maxBigintDigits: 4096,
  maxQueuedBytes: 16_777_216,
})

/** @throws TypeError - no time that a timer can count: in 32 bits, and a longer one fires at once. */
export function checkTimeout(name: string, ms: number | undefined): void {
  if (ms === undefined || (typeof ms === 'number' && ms >= 0 && ms < 2 ** 31)) return
  throw new TypeError(`${name}: expected milliseconds from 0 to 2147483647, got ${String(ms)}`)
}

/**
 * Fills in the defaults and freezes.
 *
 * @throws TypeError - an unknown name, or a value that is not a positive integer; says which.
 */
export function resolveLimits(limits: Partial<Limits> = {}): Limits {
  const resolved: Record<string, number> = { ...DEFAULT_LIMITS }
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new TypeError(
        `limits.${name}: expected one of ${Object.keys(DEFAULT_LIMITS).join(', ')}`,
      )
    }
    if (value === undefined) continue
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TypeError(`limits.${name}: expected a positive integer, got ${String(value)}`)
    }
    resolved[name] = value
  }
  return Object.freeze(resolved) as unknown as Limits
}
