/// <reference lib="esnext.disposable" preserve="true" />
import type { CloseReason, Remote } from '../broker/index.js'
import { Backoff, type Loss, OFFLINE_MS, between, readLoss } from './backoff.js'
import type { Connection, SessionUser } from './connection.js'
import type { Door } from './door.js'
import { LastingPerspective } from './perspective.js'

/** Where a session is in its life; a frozen snapshot. */
export type SessionState =
  | {
      /** Calls go through. */
      readonly name: 'open'
    }
  | {
      /** The connection is lost, and another try is made at `until`, or earlier if the page wakes or comes online. */
      readonly name: 'waiting'
      /** The number of that try, from 1. */
      readonly attempt: number
      /** When it is made at the latest. */
      readonly until: Date
      /** How the connection was lost. */
      readonly reason: CloseReason
    }
  | {
      /** A try is being made. */
      readonly name: 'connecting'
    }
  | {
      /** The avatar has gone for good; calls reject. */
      readonly name: 'ended'
      /** How the last connection ended. */
      readonly reason: CloseReason
    }

/**
 * One login of one user on this page, over one connection after the other. Each has an avatar of its own at the other end;
 * references, mirrors and streams die with theirs.
 */
export interface Session<P extends object> extends AsyncDisposable {
  /**
   * The avatar that there is now; it stays valid. While there is none its calls reject with `ConnectionLostError`, outcome
   * `not-sent`; once the session has ended with `DeadReferenceError`.
   */
  readonly perspective: Remote<P>
  /** Who is logged in, as the server says. */
  readonly user: SessionUser
  /** The state now; a new object for each change, so that it serves as a snapshot. */
  readonly state: SessionState
  /** `listener` hears of every change of `state`; answers a function that unsubscribes. Bound: it can be handed on as it is. */
  readonly subscribe: (listener: (state: SessionState) => void) => () => void
  /**
   * Why the session ended; the codes are in docs/guides/reconnecting.md. What a route has refused it for is the reason's text:
   * `PB_ERR_RENEWAL_REJECTED`, `PB_ERR_USER_CHANGED` and so on. Never rejects.
   */
  readonly ended: Promise<CloseReason>
  /** Ends the session for good; resolves when the server has heard of it, or cannot any more. Never rejects. */
  readonly logout: () => Promise<void>
}

/** How long a logout waits for the server, in ms. */
const LOGOUT_TIMEOUT_MS = 2000

/** Woken pages try within so many ms, and not again for so long. */
const WAKE_SPREAD_MS = 500
const WAKE_PAUSE_MS = 5000

/** A page that wakes doubts a connection that was silent for so long, and waits so long for an answer. */
const DOUBT_MS = 10_000
const DOUBT_ANSWER_MS = 3000

const OPEN: SessionState = Object.freeze({ name: 'open' })
const CONNECTING: SessionState = Object.freeze({ name: 'connecting' })

/**
 * Opens a session with a ticket. Where the socket is refused the server is asked for another one: its refusal is the reason,
 * which a page cannot see otherwise.
 */
export async function openSession<P extends object>(
  door: Door<P>,
  ticket: unknown,
): Promise<Session<P>> {
  for (let given = ticket; ; given = undefined) {
    try {
      return new LiveSession<P>(door, await door.enter(door.setup.signal, undefined, given))
    } catch (error) {
      const { code } = error as { readonly code?: unknown }
      if (door.source === null || code !== 'PB_ERR_CLIENT_UPGRADE') throw error
    }
  }
}

class LiveSession<P extends object> implements Session<P> {
  readonly perspective: Remote<P>
  readonly user: SessionUser
  readonly ended: Promise<CloseReason>
  readonly #door: Door<P>
  readonly #backoff: Backoff | null
  readonly #lasting: LastingPerspective<P>
  readonly #listeners = new Set<(state: SessionState) => void>()
  /** Aborted at the end, with everything that is under way. */
  readonly #life = new AbortController()
  #state: SessionState = OPEN
  #connection!: Connection<P>
  #resolveEnded!: (reason: CloseReason) => void
  #loggedOut: Promise<void> | null = null
  /** Tries at once, or as soon as the server's hint allows; without a network not for some time. Set while waiting. */
  #hurry: ((isOnline: boolean) => void) | null = null
  #triedAt = 0
  /** Until the next try. */
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Takes over a connection whose server has said hello. */
  constructor(door: Door<P>, connection: Connection<P>) {
    const { reconnect } = door.setup
    this.#door = door
    this.#backoff =
      door.source === null || reconnect === false
        ? null
        : new Backoff(reconnect ?? {}, door.source === 'renewal')
    this.#lasting = new LastingPerspective(() => this.#state.name !== 'ended')
    this.perspective = this.#lasting.handle
    this.user = connection.hello.user
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    this.#follow(connection)
    if (this.#backoff !== null) this.#listen()
    void this.#run()
  }

  get state(): SessionState {
    return this.#state
  }

  readonly subscribe = (listener: (state: SessionState) => void): (() => void) => {
    // The same function subscribed twice is two subscriptions.
    const own = (state: SessionState): void => {
      listener(state)
    }
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  readonly logout = (): Promise<void> => (this.#loggedOut ??= this.#leave());

  [Symbol.asyncDispose](): Promise<void> {
    return this.logout()
  }

  async #leave(): Promise<void> {
    const reason = { code: 1000, reason: 'logout', byPeer: false }
    const { broker, socketClosed } = this.#connection
    const heard = Promise.all([this.#door.leave(), socketClosed])
    this.#end(reason)
    broker.close(reason.code, reason.reason)
    let timer: ReturnType<typeof setTimeout> | undefined
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LOGOUT_TIMEOUT_MS)
    })
    await Promise.race([heard, timeout])
    clearTimeout(timer)
  }

  /** From the first connection to the end. */
  async #run(): Promise<void> {
    for (;;) {
      let cause: unknown
      try {
        if (this.#state === CONNECTING) await this.#connect()
        const openedAt = Date.now()
        cause = await this.#connection.broker.closed
        this.#backoff?.held(Date.now() - openedAt)
      } catch (error) {
        cause = error
      }
      if (this.#life.signal.aborted) return
      const loss = readLoss(cause)
      const delay = this.#backoff?.after(loss, this.#connection.hello.spreadMs) ?? null
      if (delay === null) {
        this.#end(loss.reason)
        return
      }
      await this.#wait(delay, loss)
      this.#triedAt = Date.now()
      this.#change(CONNECTING)
    }
  }

  async #connect(): Promise<void> {
    const { signal } = this.#life
    const connection = await this.#door.enter(signal, this.user.id)
    if (signal.aborted) connection.broker.close(1000, 'logout')
    this.#follow(connection)
    if (!signal.aborted) this.#change(OPEN)
  }

  #follow(connection: Connection<P>): void {
    this.#connection = connection
    this.#lasting.follow(connection.broker)
  }

  /** Never resolves where the session ends meanwhile. */
  #wait(delayMs: number, { reason, hintMs }: Loss): Promise<void> {
    const soonest = Date.now() + hintMs
    return new Promise((resolve) => {
      let due = NaN
      const arm = (at: number): void => {
        if (at === due) return
        due = at
        clearTimeout(this.#timer)
        this.#timer = setTimeout(resolve, at - Date.now())
        const attempt = this.#backoff?.tries ?? 0
        this.#change(Object.freeze({ name: 'waiting', attempt, until: new Date(at), reason }))
      }
      this.#hurry = (isOnline) => {
        const now = Date.now()
        const earliest = Math.max(now, soonest, this.#triedAt + WAKE_PAUSE_MS)
        arm(
          isOnline
            ? Math.min(due, earliest + between(0, WAKE_SPREAD_MS))
            : Math.max(due, now + OFFLINE_MS),
        )
      }
      arm(Date.now() + delayMs)
    })
  }

  /** What a platform has of these events; a worker has no page, and Node none of them. */
  #listen(): void {
    const { signal } = this.#life
    const page = (globalThis as { document?: Document }).document
    const on = (target: EventTarget | undefined, type: string, run: () => void): void => {
      // Node's global is no target.
      target?.addEventListener?.(type, run, { signal })
    }
    const hurry = (isOnline: boolean): void => {
      if (this.#state.name === 'waiting') this.#hurry?.(isOnline)
    }
    const wake = (): void => {
      if (this.#state === OPEN) this.#connection.check(DOUBT_MS, DOUBT_ANSWER_MS)
      else hurry(true)
    }
    on(globalThis, 'online', wake)
    on(globalThis, 'offline', () => {
      hurry(false)
    })
    on(globalThis, 'pageshow', wake)
    on(page, 'resume', wake)
    on(page, 'visibilitychange', () => {
      if (page?.visibilityState === 'visible') wake()
    })
    // A page that may come back must not have a socket open, or it is thrown away.
    on(globalThis, 'pagehide', () => {
      this.#triedAt = 0
      this.#connection.broker.close(4001, 'asleep')
    })
  }

  #end(reason: CloseReason): void {
    if (this.#state.name === 'ended') return
    clearTimeout(this.#timer)
    this.#door.forget()
    this.#life.abort()
    this.#change(Object.freeze({ name: 'ended', reason }))
    this.#resolveEnded(reason)
  }

  #change(state: SessionState): void {
    this.#state = state
    for (const listener of [...this.#listeners]) {
      try {
        listener(state)
      } catch (error) {
        console.error('fastify-perspective: a listener of session.subscribe threw', error)
      }
    }
  }
}
