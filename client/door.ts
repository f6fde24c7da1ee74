import type { Broker } from '../broker/index.js'
import { type Connection, type ConnectionSetup, openConnection } from './connection.js'
import { ConnectError, RequestError } from './errors.js'
import { post, requestTicket, within } from './request.js'

/** How long a route other than the login may take, and a function that fetches tickets, in seconds. */
const REQUEST_SECONDS = 10

/** So many tickets in a row that opened no socket are no accident. */
const MAX_REFUSED_SOCKETS = 3

/** Where tickets come from after the first one: a function, Django's session cookie, a renewal token, nowhere. */
export type TicketSource = (() => string | PromiseLike<string>) | 'session' | 'renewal' | null

/** The way into the server, again and again: a ticket for each connection. */
export class Door<P extends object> {
  readonly setup: ConnectionSetup
  readonly source: TicketSource
  readonly #prefix: string
  /** In memory only; the last one that the server gave, or none. */
  #renewal: string | null
  #refusedSockets = 0

  /** `renewal` is the token of the login; null where it gave none. */
  constructor(
    prefix: string,
    setup: ConnectionSetup,
    source: TicketSource,
    renewal: string | null = null,
  ) {
    this.#prefix = prefix
    this.setup = setup
    this.source = source
    this.#renewal = renewal
  }

  /**
   * Opens one connection, as the given user where there has been one.
   *
   * @param given - The ticket, where there is one already.
   * @throws whatever {@link requestTicket}, {@link openConnection} and the function for tickets do
   * @throws RequestError `PB_ERR_USER_CHANGED` - found out here.
   * @throws ConnectError `PB_ERR_UPGRADE_BLOCKED`
   * @throws TypeError - a ticket that is none.
   */
  async enter(
    signal: AbortSignal | undefined,
    userId?: string,
    given?: unknown,
  ): Promise<Connection<P>> {
    const ticket = given ?? (await this.#ticket(signal, userId))
    if (typeof ticket !== 'string' || !/^[\w.-]+$/.test(ticket)) {
      throw new TypeError(
        `ticket: expected the text of a JWT, got ${typeof ticket === 'string' ? 'another one' : typeof ticket}`,
      )
    }
    let connection: Connection<P>
    try {
      connection = await openConnection<P>(
        this.#prefix,
        ticket,
        this.setup,
        signal,
        (broker, notice) => {
          this.#take(broker, notice)
        },
      )
    } catch (error) {
      if (
        (error as { code?: unknown }).code !== 'PB_ERR_CLIENT_UPGRADE' ||
        ++this.#refusedSockets < MAX_REFUSED_SOCKETS
      )
        throw error
      throw new ConnectError(
        'PB_ERR_UPGRADE_BLOCKED',
        'tickets are granted and sockets refused: look for a proxy that passes no WebSockets or no Sec-WebSocket-Protocol, and ' +
          "at connect-src of the page's CSP",
        (error as ConnectError).reason,
      )
    }
    this.#refusedSockets = 0
    const { broker, hello } = connection
    if (userId !== undefined && userId !== hello.user.id) {
      broker.close(1000, 'PB_ERR_USER_CHANGED')
      throw new RequestError('PB_ERR_USER_CHANGED', 'somebody else is logged in now', 409, null)
    }
    this.#take(broker, hello)
    return connection
  }

  #ticket(signal: AbortSignal | undefined, expect: string | undefined): unknown {
    const { source } = this
    if (source === null) return undefined
    if (typeof source === 'function') {
      return within(REQUEST_SECONDS, signal, (limited) => askFor(source, limited))
    }
    const isCookie = source === 'session'
    return requestTicket(
      this.#prefix + (isCookie ? '/ticket' : '/renew'),
      isCookie ? { expect } : { renewal: this.#renewal, expect },
      this.setup,
      REQUEST_SECONDS,
      signal,
      isCookie ? { credentials: 'include' } : undefined,
    ).then(({ ticket }) => ticket)
  }

  /** Keeps the renewal token in what the server says, and tells it so: the one before is dead from then on. */
  #take(broker: Broker<P>, said: unknown): void {
    const { token, id } = ((said as { renewal?: unknown } | null)?.renewal ?? {}) as {
      readonly token?: unknown
      readonly id?: unknown
    }
    if (this.#renewal === null || typeof token !== 'string') return
    this.#renewal = token
    broker.notify({ kept: id })
  }

  /** Forgets the renewal token. */
  forget(): void {
    this.#renewal = null
  }

  /** Has the server end the renewal token, now or as soon as the page is online again. Never rejects. */
  async leave(): Promise<void> {
    const renewal = this.#renewal
    if (renewal === null) return
    this.#renewal = null
    const tell = async (): Promise<void> => {
      // It outlives the page.
      await post(`${this.#prefix}/logout`, { renewal }, this.setup, { keepalive: true })
    }
    await tell().catch(() => {
      globalThis.addEventListener?.('online', () => void tell().catch(() => undefined), {
        once: true,
      })
    })
  }
}

/** The value, or what the function for it answers; rejects as soon as the signal aborts, whoever is being asked. */
export async function askFor<T>(
  source: T | (() => T | PromiseLike<T>),
  signal: AbortSignal | undefined,
): Promise<T> {
  signal?.throwIfAborted()
  if (typeof source !== 'function') return source
  const asked = (source as () => T | PromiseLike<T>)()
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => {
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', abort)
    Promise.resolve(asked)
      .then(resolve, reject)
      .finally(() => signal?.removeEventListener('abort', abort))
  })
}
