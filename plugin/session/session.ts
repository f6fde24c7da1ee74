/** One session: a socket, the broker on it, and what both mean to the avatar. Its avatar's life is in `avatar-life.ts`. */
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import {
  Broker,
  type BrokerStats,
  type CallWatch,
  type CopyableClass,
  type Limits,
  type Remote,
  type WebSocketLike,
  webSocketTransport,
} from '../../broker/index.js'
import { Refusal } from '../../broker/errors.js'
import { publishAdmission, publishDetach, watchCall } from '../observation.js'
import { type Account, type Authority, type Portal, userKeyOf } from '../portal/portal.js'
import type { AnyAvatar, DetachReason, Realm } from './avatar.js'
import { AvatarLife, type AvatarOwner } from './avatar-life.js'
import type { Connection } from './connection.js'
import { reasonOf } from './detach-reason.js'
import { BAD_FRAME, type Ending, kicked } from './endings.js'
import { FailureLog } from './failure-log.js'
import { HeldFrames } from './held-frames.js'
import { type Beating, Pulse } from './heartbeat.js'
import { KEEP_ALIVE, type NoticeListener, helloInfo, pong, readNotice } from './notices.js'
import { Permissions } from './permissions.js'
import type { PreparedRenewals, SessionRenewals } from './renewals.js'
import { type SessionUser, makeSessionUser } from './session-user.js'
import type { OpenAvatarSession, SessionRegistry } from './sessions.js'

/** A socket of `ws`. */
export interface ServerSocket extends WebSocketLike {
  /** Its own events: one closure each, where those of the DOM take three and more. */
  on(event: 'close' | 'error', listener: () => void): unknown
  on(event: 'message', listener: (data: Buffer | ArrayBuffer) => void): unknown
  ping(): void
  terminate(): void
}

export interface SessionContext {
  readonly realm: Realm
  readonly portal: Portal
  readonly registry: SessionRegistry
  readonly limits: Limits
  readonly copyables: readonly CopyableClass[]
  readonly callTimeoutMs: number
  readonly log: FastifyBaseLogger
}

/** What the admission knows of a session when its socket opens. */
export interface Admitted {
  readonly account: Account
  readonly connection: Connection
  /** How long ago its user has logged in, in ms. */
  readonly loginAgeMs: number
  /** Null where the page gets no renewal tokens. */
  readonly renewals: PreparedRenewals | null
  /** The socket below the WebSocket. */
  readonly wire: Socket
  readonly request: {
    readonly id: string
    readonly ip: string
    readonly headers: IncomingHttpHeaders
  }
}

/** How long a peer may take to answer a close frame; ws alone would wait 30 s. */
const CLOSE_MS = 2_000

export class Session implements OpenAvatarSession, AvatarOwner, NoticeListener, Beating {
  readonly id: string = randomUUID()
  readonly user: SessionUser
  readonly userKey: string
  readonly log: FastifyBaseLogger
  readonly request: Admitted['request']
  readonly pulse: Pulse
  readonly #permissions: Permissions
  readonly #connection: Connection
  readonly #socket: ServerSocket
  readonly #broker: Broker
  readonly #renewals: SessionRenewals | null
  readonly #life: AvatarLife
  readonly #failures: FailureLog
  readonly #held: HeldFrames
  /** Null until somebody asks for its signal: it is half a kB, and most avatars do not. */
  #abort: AbortController | null = null
  readonly #socketClosed: Promise<void>
  #publish!: (avatar: AnyAvatar) => void
  #hasMind = false
  #isOpen = false
  #isDraining = false
  #isEnded = false
  #isFinished = false

  /** Takes over a socket that has just been upgraded; synchronously, or its first frames would be lost. */
  constructor(
    socket: ServerSocket,
    { account, connection, loginAgeMs, renewals, wire, request }: Admitted,
    context: SessionContext,
  ) {
    this.#permissions = new Permissions(account, context.portal)
    this.user = makeSessionUser(account.user, this.#permissions)
    this.userKey = userKeyOf(account.checker, account.user.id)
    this.request = request
    this.pulse = new Pulse(wire, loginAgeMs)
    this.log = context.log.child({ sessionId: this.id, userKey: this.userKey })
    this.#connection = connection
    this.#socket = socket
    this.#renewals = renewals?.renewals ?? null
    this.#socketClosed = new Promise((resolve) => {
      socket.on('close', () => {
        resolve()
      })
    })
    this.#held = new HeldFrames(context.limits.maxQueuedBytes)
    // Before the broker reads it.
    socket.on('message', ({ byteLength }) => {
      this.#held.read(byteLength)
    })
    this.#failures = new FailureLog(this.log)
    this.#broker = new Broker(webSocketTransport(socket), {
      root: new Promise<object>((resolve) => {
        this.#publish = resolve
      }),
      info: helloInfo(this.user, context.registry.slots, renewals?.first ?? null),
      limits: context.limits,
      copyables: context.copyables,
      callTimeoutMs: context.callTimeoutMs,
      authorize: (requires) => this.#hasAll(requires),
      onCall: (method) => this.#called(method),
      onCallError: (error, call) => {
        // A call without answer that came too late is no failure of the application's.
        if (!(this.#isDraining && error instanceof Refusal)) this.#failures.failed(error, call)
      },
      onNotice: (notice) => {
        readNotice(notice, this)
      },
    })
    // From here on nothing throws: what has timers and listeners of its own comes last.
    this.#life = new AvatarLife(this, context.realm)
    socket.on('error', () => {
      this.end(BAD_FRAME)
    })
    connection.attach(this)
    this.#renewals?.start((renewal) => {
      this.#broker.notify({ renewal })
    }, this.log)
    void this.#broker.closed.then((reason) => {
      this.#finish(reasonOf(reason))
    })
    this.#broker.peer.then(
      ({ hasRoot }) => {
        this.#hasMind = hasRoot
        this.#life.begin()
      },
      () => undefined,
    )
    if (connection.ending !== null) this.end(connection.ending)
  }

  get avatar(): AnyAvatar {
    return this.#life.avatar
  }

  get hasMind(): boolean {
    return this.#hasMind
  }

  get mind(): Remote<object> {
    return this.#broker.root
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get #controller(): AbortController {
    return (this.#abort ??= new AbortController())
  }

  /** Itself, between `attached` and `detached`. */
  get open(): OpenAvatarSession | null {
    return this.#isOpen && !this.#isEnded ? this : null
  }

  get beating(): Beating {
    return this
  }

  hasPerm(...asked: Parameters<Permissions['has']>): Promise<boolean> {
    return this.#permissions.has(...asked)
  }

  close(reason = 'disconnected'): void {
    this.end(kicked(reason))
  }

  opened(avatar: AnyAvatar): void {
    this.#isOpen = true
    this.#connection.opened()
    this.log.info('perspective: session open')
    publishAdmission(this)
    this.#publish(avatar)
  }

  /** What the user's row says now, while the session is open. */
  refreshed(authority: Authority): void {
    if (this.open !== null) this.#permissions.refresh(authority.groups)
  }

  kept(id: string): void {
    this.#renewals?.kept(id)
  }

  ping(): void {
    this.#socket.ping()
  }

  keepAlive(): void {
    this.#broker.notify(KEEP_ALIVE)
  }

  pinged(n: number): void {
    this.#broker.notify(pong(n))
  }

  get stats(): BrokerStats {
    return this.#broker.stats
  }

  /** Refuses further calls; those that run go on. */
  drain(): void {
    this.#isDraining = true
  }

  /** Resolves when it has ended: the avatar detached, the socket closed. */
  async over(): Promise<void> {
    await Promise.all([this.#life.detached, this.#socketClosed])
  }

  /** Stops the broker first: a peer that is on its way out calls nothing more. */
  end({ code, text, reason }: Ending): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#broker.close(code, text)
    this.#finish(reason)
  }

  #finish(reason: DetachReason): void {
    if (this.#isFinished) return
    this.#isFinished = true
    this.#isEnded = true
    this.#failures.end()
    this.#controller.abort(new Error(`the session has ended: ${reason.message}`))
    this.#connection.leave()
    this.#renewals?.stop(reason)
    const timer = setTimeout(() => {
      this.#socket.terminate()
    }, CLOSE_MS)
    void this.#socketClosed.then(() => {
      clearTimeout(timer)
    })
    this.log.info({ reason }, 'perspective: session ended')
    this.#life.end(reason)
    publishDetach(this, reason, this.pulse.openMs)
  }

  async #hasAll(requires: readonly string[]): Promise<boolean> {
    for (const permission of requires) if (!(await this.hasPerm(permission))) return false
    return true
  }

  #called(method: string): CallWatch | undefined {
    if (this.#isDraining) {
      throw new Refusal(
        'PB_ERR_CALL_CLOSING',
        'the server is shutting down; the call was not begun',
      )
    }
    this.#held.assertRoom()
    const watch = watchCall(this, method)
    if (!this.#held.isLong) return watch
    return (promise, error) => {
      if (promise !== null) this.#held.hold(promise)
      watch?.(promise, error)
    }
  }
}
