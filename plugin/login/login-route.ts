/** `POST <prefix>/login`: credentials in, a ticket out. What costs nothing is checked first, and every limit before a hash. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sendJson, sendRefusal } from '../answers.js'
import { LoginLimit, LoginRejected, LoginShape, retryLater } from '../errors.js'
import type { Observation } from '../observation.js'
import {
  type CheckedUser,
  type Checker,
  DJANGO,
  type Portal,
  type SentCredentials,
  userKeyOf,
} from '../portal/portal.js'
import type { Renewals } from '../ticket/renewal.js'
import { type Tickets, makeJti } from '../ticket/ticket.js'
import { type PostContext, abortedWithAnswer, jsonPost } from './json-post.js'
import type { LoginEffects } from './login-effects.js'
import { LoginHookRunner, type LoginHooks } from './login-hooks.js'
import type { RateLimiter } from './rate-limits.js'

export interface LoginRouteContext extends PostContext {
  readonly portal: Portal
  readonly tickets: Tickets
  /** Null where pages get no renewal tokens. */
  readonly renewals: Renewals | null
  readonly limiter: RateLimiter
  readonly hooks: LoginHooks
  readonly effects: LoginEffects
  readonly observation: Observation
}

/** Registers the route in a scope that `prepareJsonPosts` has made ready. */
export function registerLoginRoute(scope: FastifyInstance, context: LoginRouteContext): void {
  scope.route({
    ...jsonPost(context, { count: (request) => context.limiter.countAddress(request) }),
    url: '/login',
    handler: async (request, reply) => {
      const { account, checker } = await authenticate(request, reply, context)
      if (account === null) return sendRefusal(reply, new LoginRejected())
      const { origin = '' } = request.headers
      const known = { ...account, checker: checker.name }
      const begun = (await context.renewals?.begin(known, origin)) ?? null
      const { tickets } = context
      const ticket = await tickets.mint(known, origin, makeJti(), begun?.lineage)
      const { id, username } = account.user
      request.log.info({ userId: id, checker: checker.name }, 'perspective: login')
      context.observation.loggedIn(request, userKeyOf(checker.name, id))
      return sendJson(reply, 200, {
        ticket,
        ...(begun !== null && { renewal: begun.token }),
        user: { id, username },
        expiresIn: tickets.lifetimeSeconds,
      })
    },
  })
}

async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  { portal, limiter, hooks, effects }: LoginRouteContext,
): Promise<{ account: CheckedUser | null; checker: Checker }> {
  const credentials = readCredentials(request.body)
  const checker = credentials === null ? null : portal.checkerFor(credentials)
  if (credentials === null || checker === null) throw new LoginShape()
  const name = checker.accountName?.(credentials) ?? null
  const accountName = name === null ? null : `${checker.name}:${name}`
  if (accountName !== null) {
    const wait = await limiter.countAccount(request, accountName)
    if (wait > 0) throw retryLater(LoginLimit, wait)
  }
  const signal = abortedWithAnswer(reply)
  const { type } = credentials
  const about = { type, checker: checker.name, accountName: name, signal }
  const runner = new LoginHookRunner(hooks, request, about)
  await runner.beforeCheck()
  const { ip, headers } = request
  const account = await checker.check(credentials, { ip, headers, signal })
  if (account === undefined) throw new LoginShape()
  if (account === null || !account.user.isActive) {
    request.log.info({ checker: checker.name }, 'perspective: login rejected')
    await runner.failed()
    return { account: null, checker }
  }
  await runner.succeeded(account.user)
  if (accountName !== null) limiter.remember(request, accountName)
  if (checker.name !== DJANGO) return { account, checker }
  // Of other credentials of Django's users the password is not known here.
  const password = type === 'password' ? String(credentials['password']) : null
  return { account: await effects.loggedIn(account, password, signal), checker }
}

/** The body as credentials; `type` is `password` unless said. */
function readCredentials(body: unknown): SentCredentials | null {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return null
  const { type = 'password' } = body as { type?: unknown }
  return typeof type === 'string' ? { ...body, type } : null
}
