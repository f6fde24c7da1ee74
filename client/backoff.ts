import { type CloseReason, PerspectiveError } from '../broker/index.js'
import { ConnectError, RequestError } from './errors.js'
import type { ReconnectOptions } from './options.js'

const HOUR_MS = 3_600_000

/** Without a network a try is put off for so long. */
export const OFFLINE_MS = 60_000

const DEFAULT_SPREAD_MS = 1000

/** After so long a connection counts as one that held. */
const STEADY_MS = 30_000

/** What is not simply a lost connection, by its close code: how many tries in a row, and the least wait in seconds. */
const RULES: Readonly<Record<number, readonly [tries: number, seconds: number]>> = {
  1000: [0, 0],
  1002: [1, 30],
  1007: [1, 30],
  1009: [1, 30],
  1011: [5, 5],
  4001: [Infinity, 5],
  4400: [1, 30],
  4401: [1, 0],
  4403: [0, 0],
  4409: [1, 0],
  4410: [1, 0],
  4413: [Infinity, 10],
  4429: [Infinity, 30],
  4440: [0, 0],
}

/** Why there is no connection. */
export interface Loss {
  readonly reason: CloseReason
  /** The server asks for so many ms at least. */
  readonly hintMs: number
  /** No further try would help. */
  readonly isFinal: boolean
}

/** Reads how a connection ended, or what a try to get one threw. */
export function readLoss(cause: unknown): Loss {
  if (cause instanceof RequestError) {
    const { code, status, retryAfterSeconds } = cause
    // 408, 429 and whatever is no answer of ours pass.
    const isFinal = code !== 'PB_ERR_CLIENT_UNREACHABLE' && /^4(?!08|29)/.test(String(status))
    const closeCode = !isFinal ? 1006 : status === 403 ? 4403 : 4401
    const seconds = retryAfterSeconds ?? 0
    return { ...lossOf(closeCode, code, isFinal), hintMs: between(seconds, seconds * 2) * 1000 }
  }
  if (cause instanceof ConnectError) {
    const { code, reason } = cause
    return reason?.reason ? readLoss(reason) : lossOf(reason?.code ?? 1006, code)
  }
  // The function that fetches tickets says that there is none for this user; else that it failed.
  if (cause instanceof PerspectiveError) return lossOf(4401, cause.code, true)
  if (cause instanceof Error) return lossOf(1006, cause.message)
  const reason = cause as CloseReason
  // Pushed out by the user's other pages, it would push out another one in turn; for who is inactive or gone there is no ticket.
  const isFinal = /^(too many|deactivated|deleted)$/.test(reason.reason)
  if (reason.code !== 1001) return { reason, hintMs: 0, isFinal }
  return { ...lossOf(1001, 'closing'), hintMs: hintIn(reason.reason) }
}

function lossOf(code: number, reason: string, isFinal = false): Loss {
  return { reason: { code, reason, byPeer: true }, hintMs: 0, isFinal }
}

/** `{"after":[least,most]}`, in seconds. */
function hintIn(reason: string): number {
  const [, least, most] = /(\d+),(\d+)/.exec(reason) ?? []
  return between(Number(least), Number(most)) * 1000 || 0
}

/** When to try again: full jitter, so that those who lost a server together do not come back together. */
export class Backoff {
  /** Tries since a connection held. */
  tries = 0
  readonly #minMs: number
  readonly #maxMs: number
  readonly #hasToken: boolean
  readonly #seen = new Map<number, number>()

  /** `hasToken`: tickets come for a renewal token, which is dead when the server has ended the session. */
  constructor({ minDelayMs = 250, maxDelayMs = 30_000 }: ReconnectOptions, hasToken: boolean) {
    this.#minMs = minDelayMs
    this.#maxMs = maxDelayMs
    this.#hasToken = hasToken
  }

  /** Forgets what was before a connection that held so long. */
  held(ms: number): void {
    if (ms < STEADY_MS) return
    this.tries = 0
    this.#seen.clear()
  }

  /**
   * How long to wait before the next try, in ms.
   *
   * @param spreadMs - Over how long the server's sessions spread their first one.
   * @returns Null where there shall be none.
   */
  after({ reason: { code }, hintMs, isFinal }: Loss, spreadMs: unknown): number | null {
    const [tries, seconds] = RULES[code] ?? [Infinity, 0]
    const seen = (this.#seen.get(code) ?? 0) + 1
    this.#seen.set(code, seen)
    const isRevoked = code === 4401 || code === 4410
    if (isFinal || seen > tries || (isRevoked && this.#hasToken)) return null
    const least = seconds * 1000 || this.#minMs
    const most = Math.min(this.#maxMs, Math.max(seconds, 1) * 1000 * 2 ** (this.tries - 1))
    const isFirst = this.tries++ === 0 && seconds === 0
    const own = isFirst
      ? between(0, Math.min(OFFLINE_MS, Number(spreadMs ?? DEFAULT_SPREAD_MS) || 0))
      : between(least, Math.max(least * 2, most))
    const isOffline = (globalThis.navigator as Navigator | undefined)?.onLine === false
    return Math.min(HOUR_MS, Math.max(own, hintMs, isOffline ? OFFLINE_MS : 0))
  }
}

export function between(least: number, most: number): number {
  return least + Math.random() * (most - least)
}
