/** Avatars, and what a realm makes them of. */
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import {
  type LocalOnly,
  PerspectiveError,
  Referenceable,
  type Remote,
  type kMind,
} from '../../broker/index.js'
import type { SessionUser } from './session-user.js'

/** Why a session ended. */
export interface DetachReason {
  /**
   * `logout`: the page said goodbye. `lost`: the page or the network has gone, or gives no sign of life, or the user
   * database was away too long. `kicked`: `session.close()` or `app.perspective.sessions.disconnect()`. `revoked`: the user
   * was deactivated or deleted or has another password, or the Django session has ended. `replaced`: the same page is back
   * on another connection. `expired`: `sessions.maxAgeSeconds` are over since the login. `closing`: the server shuts down.
   * `protocol`: the page broke the wire protocol. `slow`: the page read too slowly. `failed`: `attached` threw.
   */
  readonly code:
    | 'logout'
    | 'lost'
    | 'kicked'
    | 'revoked'
    | 'replaced'
    | 'expired'
    | 'closing'
    | 'protocol'
    | 'slow'
    | 'failed'
  /** For people and logs. */
  readonly message: string
}

/** One admitted connection of one user: what a realm makes an avatar of. */
export interface AvatarSession {
  /** Of this connection, and in every log line of it. */
  readonly id: string
  /** `checker:id`, for instance `django:42`: what the user is known by everywhere. */
  readonly userKey: string
  /** The user's row as it was read at the admission, its groups and permissions; frozen. */
  readonly user: SessionUser
  /** Whether the page has given a mind; without one calls on `mind` reject with `DeadReferenceError`. */
  readonly hasMind: boolean
  /** The page's own object. Never null. */
  readonly mind: Remote<object>
  /** Aborts when the session ends. */
  readonly signal: AbortSignal
  /** The app's logger, with the ids of session and user. */
  readonly log: FastifyBaseLogger
  /** The upgrade request; its ticket has been taken out. */
  readonly request: {
    readonly id: string
    readonly ip: string
    readonly headers: IncomingHttpHeaders
  }
  /**
   * Tells whether the user has the Django `permission` (`app_label.codename`); read anew after 10 seconds.
   *
   * @throws DatabaseUnavailableError `PB_ERR_DB_UNAVAILABLE`
   */
  hasPerm(permission: string): Promise<boolean>
  /** Ends the session with close code 4440 and `reason`, which the page sees; `detached` runs with `kicked`. Idempotent. */
  close(reason?: string): void
}

export interface Avatar<M extends object | undefined> extends LocalOnly<'attached' | 'detached'> {
  readonly [kMind]: M
}

/**
 * The server's object for one connected user; `M` is the contract of the page's mind. What the page may call is listed in
 * `static readonly remote: RemoteMethods<Contract>`.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- see above
export abstract class Avatar<M extends object | undefined = undefined> extends Referenceable {
  /** The connection that this avatar was made for. */
  readonly session: AvatarSession

  constructor(session: AvatarSession) {
    super()
    this.session = session
  }

  /** The Django user that this avatar stands for. */
  get user(): SessionUser {
    return this.session.user
  }

  /** The page's own object. Never null: where the page gave none, or has gone, its calls reject. */
  get mind(): [NonNullable<M>] extends [never] ? Remote<object> : Remote<NonNullable<M> & object> {
    return this.session.mind as never
  }

  /**
   * Runs once, before the page's first call is served; has 10 seconds. If it throws, the session ends with 1011 and
   * `detached` runs.
   */
  attached?(): void | Promise<void>

  /**
   * Runs exactly once for every avatar that the realm has made, also for one whose page had gone before `attached`: what
   * the avatar holds is given back here. Calls on `mind` reject already; `reason` says what ended the session.
   */
  detached?(reason: DetachReason): void | Promise<void>
}

/** An avatar, whatever mind it expects. */
export type AnyAvatar = Avatar<object | undefined>

/** Turns a session into an avatar; knows nothing of passwords. A new avatar for each session. */
export type Realm = (session: AvatarSession) => AnyAvatar | Promise<AnyAvatar>

/** `PB_ERR_LOGIN_DENIED`. A realm throws it to refuse a user a session; the page gets close code 4403 and the `message`. */
export class LoginDeniedError extends PerspectiveError {
  constructor(message = 'This user may not log in here.') {
    super('PB_ERR_LOGIN_DENIED', message)
  }

  static {
    this.prototype.name = 'LoginDeniedError'
  }
}
