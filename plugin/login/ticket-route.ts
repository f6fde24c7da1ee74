/** `POST <prefix>/ticket`: Django's session cookie in, a ticket out. The one route that believes a cookie. */
import type { FastifyInstance } from 'fastify'
import { sendJson, sendRefusal } from '../answers.js'
import { LoginBusy, LoginRejected, LoginShape, UserChanged, retryLater } from '../errors.js'
import { makeJti, type Tickets } from '../ticket/ticket.js'
import { boundTo, type CookieSessions } from './cookie-sessions.js'
import { type PostContext, jsonPost } from './json-post.js'
import type { RateLimiter } from './rate-limits.js'

export interface TicketRouteContext extends PostContext {
  readonly tickets: Tickets
  readonly limiter: RateLimiter
  now(): number
}

/** A ticket is admitted for some seconds more, for clocks that differ. */
const MARGIN_MS = 10_000

/** Registers the route in a scope that `prepareJsonPosts` has made ready. */
export function registerTicketRoute(
  scope: FastifyInstance,
  context: TicketRouteContext,
  sessions: CookieSessions,
): void {
  const { tickets, limiter } = context
  scope.route({
    ...jsonPost(context, { count: (request) => limiter.countTicket(request), needsOrigin: true }),
    url: '/ticket',
    handler: async (request, reply) => {
      const expected = readExpected(request.body)
      if (expected === undefined) throw new LoginShape()
      const { cookie, origin = '' } = request.headers
      const account = await sessions.authenticate(cookie)
      if (account === null) {
        request.log.info('perspective: session cookie rejected')
        return sendRefusal(reply, new LoginRejected())
      }
      const { id, username } = account.user
      if (expected !== null && expected !== id) throw new UserChanged()
      const jti = makeJti()
      const untilMs = context.now() + tickets.lifetimeSeconds * 1000 + MARGIN_MS
      if (!sessions.remember(jti, account.sessionKey, untilMs)) throw retryLater(LoginBusy, 10)
      const ticket = await tickets.mint(boundTo(account, account.sessionKey), origin, jti)
      request.log.info({ userId: id }, 'perspective: ticket for a session cookie')
      return sendJson(reply, 200, {
        ticket,
        user: { id, username },
        expiresIn: tickets.lifetimeSeconds,
      })
    },
  })
}

/** The user whom the page takes itself for; null where it does not say, undefined for a body of another form. */
function readExpected(body: unknown): string | null | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  const { expect = null, ...unknown } = body as { expect?: unknown }
  if (Object.keys(unknown).length > 0) return undefined
  return expect === null || typeof expect === 'string' ? expect : undefined
}
