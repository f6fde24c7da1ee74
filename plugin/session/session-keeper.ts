/** What goes on for as long as there are sessions, whoever calls or not: the beat, the heartbeat, the ear for revocations. */
import type { FastifyBaseLogger } from 'fastify'
import type { DjangoUsers } from '../django/index.js'
import type { Portal } from '../portal/portal.js'
import { Beat, type BeatContext } from './beat.js'
import { Heartbeat } from './heartbeat.js'
import { Revocations } from './revocations.js'
import type { SessionOptions } from './session-options.js'
import type { SessionRegistry } from './sessions.js'

export interface KeeperContext {
  readonly registry: SessionRegistry
  readonly portal: Portal
  readonly users: DjangoUsers
  readonly options: SessionOptions
  readonly log: FastifyBaseLogger
  readonly aliveSessions?: BeatContext['aliveSessions']
}

export class SessionKeeper {
  readonly #beat: Beat
  readonly #heartbeat: Heartbeat
  readonly #revocations: Revocations | null

  /** @throws InvalidOptionError `PB_ERR_OPT_INVALID` - `sessions.listen` with a database that cannot. */
  constructor({ registry, portal, users, options, log, aliveSessions }: KeeperContext) {
    const { revalidateSeconds, graceSeconds, heartbeatSeconds, maxAgeSeconds, listen } = options
    this.#beat = new Beat({ registry, portal, revalidateSeconds, graceSeconds, log, aliveSessions })
    this.#heartbeat = new Heartbeat(registry, heartbeatSeconds, maxAgeSeconds)
    this.#revocations = listen
      ? new Revocations(
          users,
          log,
          (userKeys) => this.#beat.look(userKeys),
          (userKey) => registry.isHere(userKey),
        )
      : null
  }

  /** {@link Beat.authorityAge} */
  get authorityAge(): number {
    return this.#beat.authorityAge
  }

  start(): void {
    this.#beat.start()
    this.#heartbeat.start()
    this.#revocations?.start()
  }

  async stop(): Promise<void> {
    this.#beat.stop()
    this.#heartbeat.stop()
    await this.#revocations?.stop()
  }
}
