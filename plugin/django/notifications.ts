/** LISTEN on a connection of its own, made anew whenever it is lost. Source: https://www.postgresql.org/docs/current/sql-notify.html */
import { pickFailure } from './database.js'
import type { DatabaseFailure } from './errors.js'
import { inTime } from './in-time.js'

/** What is needed of a `Client` of pg. */
export interface ListenClient {
  connect(): Promise<unknown>
  query(text: string): Promise<unknown>
  end(): Promise<unknown>
  /** It does not keep the process alive. */
  unref(): void
  on(event: 'notification', listener: (message: { readonly payload?: string }) => void): unknown
  on(event: 'error' | 'end', listener: () => void): unknown
}

export interface Notifications {
  /** Makes a connection that is not open yet; not one of a pool. */
  readonly connect: () => ListenClient
  /** A plain identifier. */
  readonly channel: string
  /** Whatever anybody has told the channel: every role may. */
  onPayload(payload: string): void
  /** It listens, or has lost its connection: then with what is known of the cause. */
  onChange(isListening: boolean, failure: DatabaseFailure | null): void
}

const ANSWER_MS = 5_000
const END_MS = 1_000
/** A connection that is half open says nothing by itself. */
const CHECK_MS = 15_000
const RETRY_MS = 1_000
const MAX_RETRY_MS = 30_000

export class NotificationListener {
  readonly #notifications: Notifications
  #timer: NodeJS.Timeout | undefined
  #client: ListenClient | null = null
  #failures = 0
  #isListening = false
  #isStopped = false

  constructor(notifications: Notifications) {
    this.#notifications = notifications
  }

  /** Connects, and goes on connecting; never throws. */
  start(): void {
    void this.#connect()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    const client = this.#client
    this.#client = null
    if (client !== null) await inTime(client.end(), END_MS).catch(() => undefined)
  }

  async #connect(): Promise<void> {
    if (this.#isStopped) return
    const client = this.#notifications.connect()
    this.#client = client
    const lose = (): void => {
      this.#lost(client, null)
    }
    client.on('error', lose)
    client.on('end', lose)
    client.on('notification', ({ payload = '' }) => {
      this.#notifications.onPayload(payload)
    })
    try {
      await inTime(client.connect(), ANSWER_MS)
      await inTime(client.query(`LISTEN ${this.#notifications.channel}`), ANSWER_MS)
      // It listens, and keeps no process alive by it.
      client.unref()
    } catch (error) {
      this.#lost(client, error)
      return
    }
    if (this.#client !== client) return
    this.#failures = 0
    this.#isListening = true
    this.#notifications.onChange(true, null)
    this.#checkLater(client)
  }

  #checkLater(client: ListenClient): void {
    this.#later(CHECK_MS, async () => {
      try {
        await inTime(client.query('SELECT 1'), ANSWER_MS)
        if (this.#client === client) this.#checkLater(client)
      } catch (error) {
        this.#lost(client, error)
      }
    })
  }

  #lost(client: ListenClient, error: unknown): void {
    // Its other events come still.
    if (this.#client !== client) return
    this.#client = null
    client.end().catch(() => undefined)
    if (this.#isStopped) return
    if (this.#isListening || this.#failures === 0) {
      this.#notifications.onChange(false, pickFailure(error))
    }
    this.#isListening = false
    this.#failures += 1
    const most = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** this.#failures)
    this.#later(RETRY_MS / 2 + (Math.random() * most) / 2, () => this.#connect())
  }

  #later(ms: number, run: () => Promise<void>): void {
    this.#timer = setTimeout(() => void run(), ms)
    this.#timer.unref()
  }
}
