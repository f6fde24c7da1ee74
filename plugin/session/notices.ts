/** What plugin and page tell each other beside the calls (PROTOCOL.md): one function for each direction. */
import type { User } from '../django/index.js'
import type { ToldToken } from '../ticket/renewal.js'

/** What a page learns of its session with the server's hello. */
export interface HelloInfo {
  readonly user: { readonly id: string; readonly username: string }
  /** After a loss a page's first try waits `random(0, spreadMs)`: all that were here come back at a rate that is borne. */
  readonly spreadMs: number
  /** The next renewal token; absent where the session has none. */
  readonly renewal?: ToldToken
}

/** Whoever hears what a page tells; each of it is unchecked until here. */
export interface NoticeListener {
  /** The page asks for a sign of life; `n` is its own, and goes back in `{pong: n}`. */
  pinged(n: number): void
  /** The page keeps the renewal token of this id; the one before may die. */
  kept(id: string): void
}

/** Sessions that come back in a second, as the door admits them on one core with room to spare. */
const RETURNS_PER_SECOND = 100
const MIN_SPREAD_MS = 1_000
const MAX_SPREAD_MS = 60_000

/** Makes the hello's info; `sessions`: how many may have to come back at once. */
export function helloInfo(
  { id, username }: User,
  sessions: number,
  renewal: ToldToken | null,
): HelloInfo {
  const spreadMs = (sessions / RETURNS_PER_SECOND) * 1000
  return {
    user: { id, username },
    ...(renewal !== null && { renewal }),
    spreadMs: Math.round(Math.min(MAX_SPREAD_MS, Math.max(MIN_SPREAD_MS, spreadMs))),
  }
}

/** Hands a page's notice to its listener; what is unknown or malformed is ignored, as a later version's would be. */
export function readNotice(notice: unknown, listener: NoticeListener): void {
  if (typeof notice !== 'object' || notice === null) return
  const { ping, kept } = notice as { ping?: unknown; kept?: unknown }
  if (Number.isSafeInteger(ping)) listener.pinged(ping as number)
  if (typeof kept === 'string') listener.kept(kept)
}

/** Says only that the server is there, to a page and to proxies that have heard nothing for a while. */
export const KEEP_ALIVE: object = Object.freeze({})

/** The answer to a page's `{ping: n}`. */
export function pong(n: number): object {
  return { pong: n }
}
