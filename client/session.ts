/// <reference lib="esnext.disposable" preserve="true" />
import type { Broker, CloseReason, Remote } from '../broker/index.js'

/** Where a session is in its life; a frozen snapshot. */
export type SessionState =
  | {
      /** Calls go through. */
      readonly name: 'open'
    }
  | {
      /** The avatar has gone; calls reject. */
      readonly name: 'ended'
      /** How the connection ended. */
      readonly reason: CloseReason
    }

/** One login of one user on this page: a connection, and the avatar at the other end of it. */
export interface Session<P extends object> extends AsyncDisposable {
  /** The avatar. Its calls reject with `DeadReferenceError` once the session has ended. */
  readonly perspective: Remote<P>
  /** Who is logged in, as the server says; `id` is the text of Django's primary key. */
  readonly user: { readonly id: string; readonly username: string }
  /** The state now; a new object for each change, so that it serves as a snapshot. */
  readonly state: SessionState
  /** `listener` hears of every change of `state`; answers a function that unsubscribes. Bound: it can be handed on as it is. */
  readonly subscribe: (listener: (state: SessionState) => void) => () => void
  /** Why the session ended. Never rejects. */
  readonly ended: Promise<CloseReason>
  /** Ends the session; resolves when the server has heard of it, or cannot any more. Never rejects. */
  readonly logout: () => Promise<void>
}

/** How long a logout waits for the other side's close frame, in ms. */
const CLOSE_TIMEOUT_MS = 2000

const OPEN: SessionState = Object.freeze({ name: 'open' })

export class OpenSession<P extends object> implements Session<P> {
  readonly perspective: Remote<P>
  readonly user: { readonly id: string; readonly username: string }
  readonly ended: Promise<CloseReason>
  readonly #broker: Broker<P>
  readonly #socketClosed: Promise<void>
  readonly #listeners = new Set<(state: SessionState) => void>()
  #state: SessionState = OPEN

  /** Takes over a broker whose peer has said hello; `socketClosed` resolves when its socket is gone. */
  constructor(
    broker: Broker<P>,
    user: { readonly id: string; readonly username: string },
    socketClosed: Promise<void>,
  ) {
    this.#broker = broker
    this.#socketClosed = socketClosed
    this.perspective = broker.root
    this.user = user
    this.ended = broker.closed.then((reason) => {
      this.#change(Object.freeze({ name: 'ended', reason }))
      return reason
    })
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

  readonly logout = async (): Promise<void> => {
    this.#broker.close(1000, 'logout')
    let timer: ReturnType<typeof setTimeout> | undefined
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
    })
    await Promise.race([this.#socketClosed, timeout])
    clearTimeout(timer)
  };

  [Symbol.asyncDispose](): Promise<void> {
    return this.logout()
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
