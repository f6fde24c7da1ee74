/** The routes that take JSON from pages, of other origins too. */
import type { FastifyInstance } from 'fastify'
import { answerPreflights, openToOrigins } from '../cors.js'
import type { Renewals } from '../ticket/renewal.js'
import type { HashedPasswordChecker } from '../portal/hashed-password-checker.js'
import { registerChallengeRoute } from './challenge-route.js'
import type { CookieSessions } from './cookie-sessions.js'
import { type LoginRouteContext, registerLoginRoute } from './login-route.js'
import { limitBodyTime } from './json-post.js'
import { registerLogoutRoute } from './logout-route.js'
import { type RenewRouteContext, registerRenewRoute } from './renew-route.js'
import { type TicketRouteContext, registerTicketRoute } from './ticket-route.js'

export interface PostsContext
  extends LoginRouteContext, TicketRouteContext, Omit<RenewRouteContext, 'renewals'> {
  /** Null where pages get no renewal tokens. */
  readonly renewals: Renewals | null
  /** Null where no cookie is a way in. */
  readonly cookieSessions: CookieSessions | null
  /** Null where no password is proved instead of sent. */
  readonly hashedPasswords: HashedPasswordChecker | null
}

/** Registers them in a scope that `prepareJsonPosts` has made ready, and that is theirs alone: so are its CORS headers. */
export function registerPosts(scope: FastifyInstance, context: PostsContext): void {
  const { renewals, cookieSessions, hashedPasswords, origins } = context
  const paths = ['/login']
  limitBodyTime(scope)
  openToOrigins(scope, origins, cookieSessions === null ? null : '/ticket')
  registerLoginRoute(scope, context)
  if (cookieSessions !== null) {
    registerTicketRoute(scope, context, cookieSessions)
    paths.push('/ticket')
  }
  if (hashedPasswords !== null) {
    registerChallengeRoute(scope, context, hashedPasswords)
    paths.push('/challenge')
  }
  if (renewals !== null) {
    registerRenewRoute(scope, { ...context, renewals })
    registerLogoutRoute(scope, { ...context, renewals })
    paths.push('/renew', '/logout')
  }
  answerPreflights(scope, paths)
}
