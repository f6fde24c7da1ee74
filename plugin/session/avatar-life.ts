/** The life of one avatar: from the page's hello over realm and `attached` to `detached`, once. */
import type { FastifyBaseLogger } from 'fastify'
import { exposureOf } from '../../broker/exposure.js'
import { logError } from '../answers.js'
import { Deadline } from '../deadline.js'
import {
  type AnyAvatar,
  Avatar,
  type AvatarSession,
  type DetachReason,
  LoginDeniedError,
  type Realm,
} from './avatar.js'
import { type Ending, FAILED, NO_HELLO, denied } from './endings.js'

/** The session that the avatar is of, and that ends where the avatar cannot be had. */
export interface AvatarOwner extends AvatarSession {
  readonly log: FastifyBaseLogger
  /** `attached` is done: calls may come. */
  opened(avatar: AnyAvatar): void
  /** Ends the session; comes back by {@link AvatarLife.end}. Idempotent. */
  end(ending: Ending): void
}

/** The page's hello follows its socket's opening at once; the realm may ask a database. */
const HELLO_MS = 10_000
const REALM_MS = 10_000
const ATTACHED_MS = 10_000

export class AvatarLife {
  readonly #owner: AvatarOwner
  readonly #realm: Realm
  readonly #deadline = new Deadline()
  #avatar: AnyAvatar | null = null
  #ended: DetachReason | null = null
  #detached: Promise<void> = Promise.resolve()

  constructor(owner: AvatarOwner, realm: Realm) {
    this.#owner = owner
    this.#realm = realm
    this.#deadline.start(HELLO_MS, () => {
      owner.end(NO_HELLO)
    })
  }

  get avatar(): AnyAvatar {
    if (this.#avatar === null) throw new Error('the avatar is not there yet')
    return this.#avatar
  }

  /** Settles with the realm, and with `detached` when that has begun. */
  get detached(): Promise<void> {
    return this.#detached
  }

  /** The page has said hello: the realm is asked, and what it made is attached. */
  begin(): void {
    if (this.#ended !== null) return
    this.#deadline.start(REALM_MS, () => {
      this.#owner.log.error({}, `perspective: the realm took over ${String(REALM_MS / 1000)} s`)
      this.#owner.end(FAILED)
    })
    this.#detached = new Promise<unknown>((resolve) => {
      resolve(this.#realm(this.#owner))
    }).then(
      (avatar) => this.#made(avatar),
      (error: unknown) => {
        this.#refused(error)
      },
    )
  }

  /** The session has ended: what there is of an avatar is detached. Once. */
  end(reason: DetachReason): void {
    if (this.#ended !== null) return
    this.#ended = reason
    this.#deadline.stop()
    if (this.#avatar !== null) this.#detached = this.#detach(this.#avatar, reason)
  }

  #refused(error: unknown): void {
    if (error instanceof LoginDeniedError) {
      this.#owner.end(denied(error.message))
      return
    }
    logError(this.#owner.log, error, 'perspective: the realm failed')
    this.#owner.end(FAILED)
  }

  async #made(avatar: unknown): Promise<void> {
    const problem = this.#problemOf(avatar)
    if (problem !== null) {
      this.#owner.log.error(
        {},
        `perspective: the realm must answer a new Avatar of its session, got ${problem}`,
      )
      this.#owner.end(FAILED)
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
      this.#owner.log.error({}, `perspective: attached took over ${String(ATTACHED_MS / 1000)} s`)
      this.#owner.end(FAILED)
    })
    try {
      // A class without a table of what may be called is the application's mistake, and shows at its first session.
      exposureOf(made)
      await made.attached?.()
    } catch (error) {
      logError(this.#owner.log, error, 'perspective: attached failed')
      this.#owner.end(FAILED)
      return
    }
    if (this.#isOver()) return
    this.#deadline.stop()
    this.#owner.opened(made)
  }

  /** Asked anew after an await: the compiler believes what it knew before. */
  #isOver(): boolean {
    return this.#ended !== null
  }

  #problemOf(avatar: unknown): string | null {
    if (!(avatar instanceof Avatar)) return avatar === null ? 'null' : typeof avatar
    return avatar.session === this.#owner ? null : 'an avatar of another session'
  }

  async #detach(avatar: AnyAvatar, reason: DetachReason): Promise<void> {
    try {
      await avatar.detached?.(reason)
    } catch (error) {
      logError(this.#owner.log, error, 'perspective: detached failed')
    }
  }
}
