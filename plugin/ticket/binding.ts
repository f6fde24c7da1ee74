import { type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Account } from '../portal/portal.js'
import { digest } from './keys.js'

/** Ties tokens to what their account depends on: they die with a change of the password or of `is_active`. */
export class Binding {
  readonly #keys: readonly [KeyObject, ...KeyObject[]]

  /** The first key binds; what another one has bound is believed, too. */
  constructor(keys: readonly [KeyObject, ...KeyObject[]]) {
    this.#keys = keys
  }

  /** The keyed digest of what an account depends on; tells nothing of it. */
  bind(account: Account): string {
    return bindWith(this.#keys[0], account)
  }

  /** Whether the account is still what it was when `ver` was made of it. */
  isBound(ver: string, account: Account): boolean {
    const told = Buffer.from(ver)
    return this.#keys.some((key) => {
      const found = Buffer.from(bindWith(key, account))
      return told.length === found.length && timingSafeEqual(told, found)
    })
  }
}

function bindWith(key: KeyObject, { checker, user, binding }: Account): string {
  return digest(key, [checker, user.id, binding, user.isActive ? '1' : '0'], 16)
}
