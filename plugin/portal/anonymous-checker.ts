/** Lets in whoever asks, as Django's AnonymousUser. Source: `django/contrib/auth/models.py`. */
import { randomUUID } from 'node:crypto'
import type { CheckedUser, Checker, SentCredentials } from './portal.js'

/** The name of the checker: with it in their keys its users are nobody's of another checker, whatever their ids. */
export const ANONYMOUS = 'anonymous'

export class AnonymousChecker implements Checker {
  readonly name: string = ANONYMOUS
  readonly types: readonly string[] = [ANONYMOUS]

  check({ type, ...unknown }: SentCredentials): Promise<CheckedUser | undefined> {
    const isForm = type === ANONYMOUS && Object.keys(unknown).length === 0
    return Promise.resolve(isForm ? makeAnonymous(randomUUID()) : undefined)
  }

  /** There is no row to read: the ticket's signature is all that makes an id one of ours. */
  load(id: string): Promise<CheckedUser> {
    return Promise.resolve(makeAnonymous(id))
  }
}

function makeAnonymous(id: string): CheckedUser {
  return {
    user: Object.freeze({
      id,
      username: '',
      // False for Django, which asks nobody to let it in; here it means just that. It has no permissions either way.
      isActive: true,
      isStaff: false,
      isSuperuser: false,
      lastLogin: null,
    }),
    binding: '',
  }
}
