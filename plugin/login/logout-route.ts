/** `POST <prefix>/logout`: ends what a renewal token is of, also where its page has no connection to say goodbye on. */
import type { FastifyInstance } from 'fastify'
import { userKeyOf } from '../portal/portal.js'
import { LOGGED_OUT } from '../session/endings.js'
import type { SessionRegistry } from '../session/sessions.js'
import type { Renewals } from '../ticket/renewal.js'
import { type PostContext, jsonPost } from './json-post.js'
import type { RateLimiter } from './rate-limits.js'

export interface LogoutRouteContext extends PostContext {
  readonly renewals: Renewals
  readonly limiter: RateLimiter
  readonly registry: SessionRegistry
}

/** Registers the route in a scope that `prepareJsonPosts` has made ready. The answer is 204, whatever the token is worth. */
export function registerLogoutRoute(scope: FastifyInstance, context: LogoutRouteContext): void {
  const { renewals, limiter, registry } = context
  scope.route({
    ...jsonPost(context, { count: (request) => limiter.countAddress(request) }),
    url: '/logout',
    handler: async (request, reply) => {
      const { renewal } = (request.body ?? {}) as { renewal?: unknown }
      const claims = typeof renewal === 'string' ? await renewals.verify(renewal) : null
      if (claims !== null && claims.org === (request.headers.origin ?? '')) {
        renewals.families.revoke(claims.fam)
        registry.endFamily(userKeyOf(claims.chk, claims.sub), claims.fam, LOGGED_OUT)
        request.log.info({ userId: claims.sub, checker: claims.chk }, 'perspective: logout')
      }
      return reply.code(204).header('cache-control', 'no-store').send()
    },
  })
}
