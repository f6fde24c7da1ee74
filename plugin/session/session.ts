/** The life of one session: from the socket's first moment over realm and `attached` to `detached`, once. */
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import {
  Broker,
  type CopyableClass,
  type FailedCall,
  type Limits,
  type PeerHello,
  type Remote,
  type WebSocketLike,
  webSocketTransport,
} from '../../broker/index.js'
import { exposureOf } from '../../broker/exposure.js'
import { logError } from '../answers.js'
import { Deadline } from '../deadline.js'
import type { User } from '../django/index.js'
import { type Account, type Portal, userKeyOf } from '../portal/portal.js'
import {
  type AnyAvatar,
  Avatar,
  type DetachReason,
  LoginDeniedError,
  type Realm,
} from './avatar.js'
import type { Connection } from './connection.js'
import { reasonOf } from './detach-reason.js'
import { Permissions } from './permissions.js'
import type { OpenAvatarSession } from './sessions.js'

/** A socket of `ws`. */
export interface ServerSocket extends WebSocketLike {
  terminate(): void
}

export interface SessionContext {
  readonly realm: Realm
  readonly portal: Portal
  readonly limits: Limits
  readonly copyables: readonly CopyableClass[]
  readonly callTimeoutMs: number
  readonly log: FastifyBaseLogger
}

/** What the admission knows of a session when its socket opens. */
export interface Admitted {
  readonly account: Account
  readonly connection: Connection
  readonly request: {
    readonly id: string
    readonly ip: string
    readonly headers: IncomingHttpHeaders
  }
}

/** The page's hello follows its socket's opening at once; the realm may ask a database. */
const HELLO_MS = 10_000
const REALM_MS = 10_000
const ATTACHED_MS = 10_000
/** How long a peer may take to answer a close frame; ws alone would wait 30 s. */
const CLOSE_MS = 2_000
/** Seconds within which pages come back after a shutdown, at random, so that they are no stampede. */
const RETURN_AFTER = '{"after":[1,5]}'

export class Session implements OpenAvatarSession {
  readonly id: string = randomUUID()
  readonly user: User
  readonly userKey: string
  readonly log: FastifyBaseLogger
  readonly request: Admitted['request']
  readonly #context: SessionContext
  readonly #permissions: Permissions
  readonly #connection: Connection
  readonly #socket: ServerSocket
  readonly #broker: Broker
  readonly #abort = new AbortController()
  readonly #deadline = new Deadline()
  readonly #socketClosed: Promise<void>
  #publish!: (avatar: AnyAvatar) => void
  #avatar: AnyAvatar | null = null
  #hasMind = false
  #isOpen = false
  #ended: DetachReason | null = null
  /** Settles with the realm, and with `detached` when that has begun. */
  #detached: Promise<void> = Promise.resolve()

  /** Takes over a socket that has just been upgraded; synchronously, or its first frames would be lost. */
  constructor(
    socket: ServerSocket,
    { account, connection, request }: Admitted,
    context: SessionContext,
  ) {
    this.user = account.user
    this.userKey = userKeyOf(account.checker, account.user.id)
    this.request = request
    this.log = context.log.child({ sessionId: this.id, userKey: this.userKey })
    this.#context = context
    this.#permissions = new Permissions(account, context.portal)
    this.#connection = connection
    this.#socket = socket
    this.#socketClosed = new Promise((resolve) => {
      socket.addEventListener('close', () => {
        resolve()
      })
    })
    socket.addEventListener('error', () => {
      // `ws` has sent 1009, 1007 or 1002 already, and tells of it as 1006.
      this.#end(1002, '', { code: 'protocol', message: 'a frame that is too long, or none' })
    })
    const { id, username } = this.user
    this.#broker = new Broker(webSocketTransport(socket), {
      root: new Promise<object>((resolve) => {
        this.#publish = resolve
      }),
      info: { user: { id, username } },
      limits: context.limits,
      copyables: context.copyables,
      callTimeoutMs: context.callTimeoutMs,
      authorize: (requires) => this.#hasAll(requires),
      onCallError: (error, call) => {
        this.#callFailed(error, call)
      },
    })
    connection.attach(this)
    void this.#broker.closed.then((reason) => {
      this.#finish(reasonOf(reason))
    })
    this.#broker.peer.then(
      (hello) => {
        this.#greeted(hello)
      },
      () => undefined,
    )
    this.#deadline.start(HELLO_MS, () => {
      this.#end(4408, 'no hello in time', {
        code: 'lost',
        message: 'the page said no hello in time',
      })
    })
    if (connection.kickedFor !== null) this.close(connection.kickedFor)
  }

  get avatar(): AnyAvatar {
    if (this.#avatar === null) throw new Error('the avatar is not there yet')
    return this.#avatar
  }

  get hasMind(): boolean {
    return this.#hasMind
  }

  get mind(): Remote<object> {
    return this.#broker.root
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Itself, between `attached` and `detached`. */
  get open(): OpenAvatarSession | null {
    return this.#isOpen && this.#ended === null ? this : null
  }

  hasPerm(permission: string): Promise<boolean> {
    return this.#permissions.has(permission)
  }

  close(reason = 'disconnected'): void {
    this.#end(4440, reason, { code: 'kicked', message: reason })
  }

  async shutdown(): Promise<void> {
    this.#end(1001, RETURN_AFTER, { code: 'closing', message: 'the server shuts down' })
    await Promise.all([this.#detached, this.#socketClosed])
  }

  #greeted(hello: PeerHello): void {
    if (this.#ended !== null) return
    this.#hasMind = hello.hasRoot
    this.#deadline.start(REALM_MS, () => {
      this.log.error({}, `perspective: the realm took over ${String(REALM_MS / 1000)} s`)
      this.#failed()
    })
    this.#detached = new Promise<unknown>((resolve) => {
      resolve(this.#context.realm(this))
    }).then(
      (avatar) => this.#made(avatar),
      (error: unknown) => {
        this.#refused(error)
      },
    )
  }

  #refused(error: unknown): void {
    if (error instanceof LoginDeniedError) {
      this.#end(4403, error.message, { code: 'kicked', message: error.message })
      return
    }
    logError(this.log, error, 'perspective: the realm failed')
    this.#failed()
  }

  async #made(avatar: unknown): Promise<void> {
    const problem = this.#problemOf(avatar)
    if (problem !== null) {
      this.log.error(
        {},
        `perspective: the realm must answer a new Avatar of its session, got ${problem}`,
      )
      this.#failed()
      return
    }
    const made = avatar as AnyAvatar
    this.#avatar = made
    if (this.#ended !== null) {
      // The page had gone, or the realm was too slow: what the avatar holds is given back all the same.
      await this.#detach(made, this.#ended)
      return
    }
    this.#deadline.start(ATTACHED_MS, () => {
      this.log.error({}, `perspective: attached took over ${String(ATTACHED_MS / 1000)} s`)
      this.#failed()
    })
    try {
      // A class without a table of what may be called is the application's mistake, and shows at its first session.
      exposureOf(made)
      await made.attached?.()
    } catch (error) {
      logError(this.log, error, 'perspective: attached failed')
      this.#failed()
      return
    }
    if (this.#ended !== null) return
    this.#deadline.stop()
    this.#isOpen = true
    this.#connection.opened()
    this.log.info('perspective: session open')
    this.#publish(made)
  }

  #problemOf(avatar: unknown): string | null {
    if (!(avatar instanceof Avatar)) return avatar === null ? 'null' : typeof avatar
    return avatar.session === this ? null : 'an avatar of another session'
  }

  #failed(): void {
    this.#end(1011, 'PB_ERR_SESSION_FAILED', { code: 'failed', message: 'the application failed' })
  }

  /** Stops the broker first: a peer that is on its way out calls nothing more. */
  #end(code: number, text: string, reason: DetachReason): void {
    if (this.#ended !== null) return
    this.#ended = reason
    this.#broker.close(code, text)
    this.#finish(reason)
  }

  #finish(reason: DetachReason): void {
    if (this.#abort.signal.aborted) return
    this.#ended ??= reason
    this.#deadline.stop()
    this.#abort.abort(new Error(`the session has ended: ${reason.message}`))
    this.#connection.leave()
    const timer = setTimeout(() => {
      this.#socket.terminate()
    }, CLOSE_MS)
    void this.#socketClosed.then(() => {
      clearTimeout(timer)
    })
    this.log.info({ reason }, 'perspective: session ended')
    if (this.#avatar !== null) this.#detached = this.#detach(this.#avatar, reason)
  }

  async #detach(avatar: AnyAvatar, reason: DetachReason): Promise<void> {
    try {
      await avatar.detached?.(reason)
    } catch (error) {
      logError(this.log, error, 'perspective: detached failed')
    }
  }

  async #hasAll(requires: readonly string[]): Promise<boolean> {
    for (const permission of requires) if (!(await this.hasPerm(permission))) return false
    return true
  }

  #callFailed(error: unknown, { id, method }: FailedCall): void {
    logError(this.log, error, 'perspective: a method failed', { callId: id, method })
  }
}
