/** `POST <prefix>/challenge`: a username in; out what a page needs to prove that it knows the password. */
import type { FastifyInstance } from 'fastify'
import { sendJson } from '../answers.js'
import { LoginShape } from '../errors.js'
import type { HashedPasswordChecker } from '../portal/hashed-password-checker.js'
import { type PostContext, jsonPost } from './json-post.js'
import type { RateLimiter } from './rate-limits.js'

/** Registers the route in a scope that `prepareJsonPosts` has made ready. */
export function registerChallengeRoute(
  scope: FastifyInstance,
  context: PostContext & { readonly limiter: RateLimiter },
  checker: HashedPasswordChecker,
): void {
  scope.route({
    ...jsonPost(context, { count: (request) => context.limiter.countChallenge(request) }),
    url: '/challenge',
    handler: async (request, reply) => {
      const { body } = request
      if (typeof body !== 'object' || body === null) throw new LoginShape()
      const { username, ...unknown } = body as { username?: unknown }
      const isForm = Object.keys(unknown).length === 0
      const challenge = isForm ? await checker.challenge(username) : undefined
      if (challenge === undefined) throw new LoginShape()
      return sendJson(reply, 200, challenge)
    },
  })
}
