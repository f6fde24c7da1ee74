/**
 * Signs of life, both ways: a page that is silent is asked by a WebSocket ping, which its browser answers also while the
 * page's own code is busy; a page that has heard nothing is told `{}`, since it cannot see pings. One timer for all.
 */
import type { Socket } from 'node:net'
import { type Ending, SILENT, TOO_OLD } from './endings.js'

/** Each session is looked at so often in one heartbeat's time. */
const LOOKS = 10
/** Each round of looks is made in so many parts: sessions that came together are not all pinged at once. */
const PARTS = 5
/** Looks without an answer to a ping: 15 of 25 seconds. */
const ANSWER_LOOKS = 6

/** A session as the heartbeat sees it. */
export interface Beating {
  readonly pulse: Pulse
  ping(): void
  /** Says something that means nothing. */
  keepAlive(): void
  end(ending: Ending): void
}

/**
 * What the bytes of one connection tell, by the counters that its socket keeps anyway: nothing runs for a frame. Any byte
 * is a sign of life. Looks are counted, not seconds: a server that was busy, or asleep, does not blame its pages.
 */
export class Pulse {
  readonly #wire: Socket
  readonly #openedAt = Math.round(performance.now())
  readonly #loginAgeMs: number
  #bytesRead: number
  #bytesWritten: number
  /** Looks since it was last heard, and spoken to. */
  #silent = 0
  #quiet = 0

  /** `loginAgeMs`: how long ago the user has logged in. */
  constructor(wire: Socket, loginAgeMs: number) {
    this.#wire = wire
    this.#loginAgeMs = loginAgeMs
    this.#bytesRead = wire.bytesRead
    this.#bytesWritten = wire.bytesWritten
  }

  /** How long the connection has been open. */
  get openMs(): number {
    return performance.now() - this.#openedAt
  }

  /** How long ago the user has logged in. */
  get loginAgeMs(): number {
    return this.#loginAgeMs + this.openMs
  }

  /** One look; does what is due. */
  look(session: Beating): void {
    const { bytesRead, bytesWritten } = this.#wire
    this.#silent = bytesRead === this.#bytesRead ? this.#silent + 1 : 0
    this.#quiet = bytesWritten === this.#bytesWritten ? this.#quiet + 1 : 0
    this.#bytesRead = bytesRead
    this.#bytesWritten = bytesWritten
    if (this.#silent >= LOOKS + ANSWER_LOOKS) {
      session.end(SILENT)
      return
    }
    if (this.#quiet === LOOKS) {
      this.#quiet = 0
      session.keepAlive()
    }
    // A tenth sooner for every other one: many that came together part.
    if (this.#silent === LOOKS || (this.#silent === LOOKS - 1 && Math.random() < 0.5)) {
      this.#silent = LOOKS
      session.ping()
      // A page does not see it: nothing was said.
      this.#bytesWritten = this.#wire.bytesWritten
    }
  }
}

export class Heartbeat {
  readonly #sessions: { readonly slots: number; beating(): Iterator<Beating, undefined> }
  readonly #partMs: number
  readonly #maxAgeMs: number
  #timer: NodeJS.Timeout | undefined
  /** The round under way; null between two. */
  #round: Iterator<Beating, undefined> | null = null
  #part = 0

  /** `sessions`: iterates over those that live, also while they come and go; `slots`: about how many. */
  constructor(
    sessions: { readonly slots: number; beating(): Iterator<Beating, undefined> },
    heartbeatSeconds: number,
    maxAgeSeconds: number,
  ) {
    this.#sessions = sessions
    this.#partMs = (heartbeatSeconds * 1000) / LOOKS / PARTS
    this.#maxAgeMs = maxAgeSeconds * 1000
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#lookAtPart()
    }, this.#partMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #lookAtPart(): void {
    if (this.#part === 0) this.#round ??= this.#sessions.beating()
    const isLast = this.#part === PARTS - 1
    this.#part = (this.#part + 1) % PARTS
    const share = isLast ? Infinity : Math.ceil(this.#sessions.slots / PARTS)
    for (let count = 0; this.#round !== null && count < share; count++) {
      const next = this.#round.next()
      if (next.done === true) this.#round = null
      else this.#lookAt(next.value)
    }
  }

  #lookAt(session: Beating): void {
    if (session.pulse.loginAgeMs > this.#maxAgeMs) session.end(TOO_OLD)
    else session.pulse.look(session)
  }
}
