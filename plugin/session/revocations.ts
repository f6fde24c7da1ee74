/** What the trigger of docs/revocation-trigger.sql tells: hints whom to look at before the next beat. */
import type { FastifyBaseLogger } from 'fastify'
import { Deadline } from '../deadline.js'
import { type DjangoUsers, InvalidOptionError } from '../django/index.js'
import { NotificationListener } from '../django/notifications.js'
import { DJANGO, userKeyOf } from '../portal/portal.js'

/** The same as in the trigger. */
const CHANNEL = 'fastify_perspective_revocation'
/** One statement of Django's may change many rows. */
const GATHER_MS = 50

export class Revocations {
  readonly #look: (userKeys: readonly string[]) => Promise<void>
  readonly #isHere: (userKey: string) => boolean
  readonly #deadline = new Deadline()
  readonly #listener: NotificationListener
  #userKeys = new Set<string>()
  #isLooking = false

  /**
   * `look`: looks at some users; never rejects. `isHere`: whether a user has sessions; anybody may notify, and what nobody
   * here is told of is not gathered.
   * @throws InvalidOptionError `PB_ERR_OPT_INVALID` - the database handed in makes no connections.
   */
  constructor(
    users: DjangoUsers,
    log: FastifyBaseLogger,
    look: (userKeys: readonly string[]) => Promise<void>,
    isHere: (userKey: string) => boolean,
  ) {
    const connect = users.connectionMaker
    if (connect === null) {
      throw new InvalidOptionError(
        'sessions.listen',
        'a connection string, a Pool of pg or a pg-promise database as option database',
        users,
        'a database that makes no connection of its own',
      )
    }
    this.#look = look
    this.#isHere = isHere
    this.#listener = new NotificationListener({
      connect,
      channel: CHANNEL,
      onPayload: (payload) => {
        this.#told(payload)
      },
      onChange: (isListening, database) => {
        if (isListening) log.info('perspective: listening for revocations')
        else
          log.warn({ database }, 'perspective: not listening for revocations; the beat finds them')
      },
    })
  }

  start(): void {
    this.#listener.start()
  }

  async stop(): Promise<void> {
    this.#deadline.stop()
    this.#userKeys.clear()
    await this.#listener.stop()
  }

  #told(id: string): void {
    const userKey = userKeyOf(DJANGO, id)
    if (!this.#isHere(userKey)) return
    this.#userKeys.add(userKey)
    if (this.#userKeys.size === 1 && !this.#isLooking) this.#lookSoon()
  }

  /** One look at a time: however many notify. */
  #lookSoon(): void {
    this.#deadline.start(GATHER_MS, () => {
      const userKeys = [...this.#userKeys]
      this.#userKeys.clear()
      this.#isLooking = true
      void this.#look(userKeys).then(() => {
        this.#isLooking = false
        if (this.#userKeys.size > 0) this.#lookSoon()
      })
    })
    this.#deadline.unref()
  }
}
