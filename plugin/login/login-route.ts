/** `POST <prefix>/login`: credentials in, a ticket out. What costs nothing is checked first, and every limit before a hash. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { refusalOf, sendJson, sendRefusal } from '../answers.js'
import {
  LoginAbandoned,
  LoginContentType,
  LoginLimit,
  LoginRejected,
  LoginShape,
  LoginSlow,
  OriginRefused,
  ServerClosing,
  retryLater,
} from '../errors.js'
import { isAllowedOrigin } from '../origins.js'
import type { CheckedUser, Checker, Portal, SentCredentials } from '../portal/portal.js'
import type { Tickets } from '../ticket/ticket.js'
import type { RateLimiter } from './rate-limits.js'

export interface LoginRouteContext {
  readonly origins: ReadonlySet<string>
  readonly portal: Portal
  readonly tickets: Tickets
  readonly limiter: RateLimiter
  isClosing(): boolean
}

const MAX_BODY_BYTES = 8 * 1024
/** From the request's head to the end of its body. */
const BODY_MS = 10_000

/** Registers the route in a scope of its own: its parser and its answers are not the app's. */
export function registerLoginRoute(scope: FastifyInstance, context: LoginRouteContext): void {
  const bodyTimers = new WeakMap<FastifyRequest, NodeJS.Timeout>()
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
    (_request, body, done) => {
      const parsed = parseJson(body as Buffer)
      if (parsed === undefined) done(new LoginShape())
      else done(null, parsed)
    },
  )
  scope.route({
    method: 'POST',
    url: '/login',
    bodyLimit: MAX_BODY_BYTES,
    onRequest: async (request, reply) => {
      if (context.isClosing()) throw retryLater(ServerClosing, 1)
      if (!isAllowedOrigin(context.origins, request.headers.origin)) throw new OriginRefused()
      const [mediaType = ''] = (request.headers['content-type'] ?? '').split(';', 1)
      if (mediaType.trim().toLowerCase() !== 'application/json') throw new LoginContentType()
      const wait = await context.limiter.countAddress(request)
      if (wait > 0) throw retryLater(LoginLimit, wait)
      const timer = setTimeout(() => {
        endSlowBody(request, reply)
      }, BODY_MS)
      bodyTimers.set(request, timer)
      reply.raw.once('close', () => {
        clearTimeout(timer)
      })
    },
    preHandler: (request, _reply, done) => {
      clearTimeout(bodyTimers.get(request))
      done()
    },
    handler: async (request, reply) => {
      const { account, checker } = await authenticate(request, reply, context)
      if (account === null) return sendRefusal(reply, new LoginRejected())
      const { origin = '' } = request.headers
      const ticket = await context.tickets.mint({ ...account, checker: checker.name }, origin)
      const { id, username } = account.user
      request.log.info({ userId: id, checker: checker.name }, 'perspective: login')
      return sendJson(reply, 200, {
        ticket,
        user: { id, username },
        expiresIn: context.tickets.lifetimeSeconds,
      })
    },
  })
}

async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  { portal, limiter }: LoginRouteContext,
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
  const account = await checker.check(credentials, {
    ip: request.ip,
    headers: request.headers,
    signal: abortedWithAnswer(reply),
  })
  if (account === undefined) throw new LoginShape()
  if (account === null || !account.user.isActive) {
    request.log.info({ checker: checker.name }, 'perspective: login rejected')
    return { account: null, checker }
  }
  if (accountName !== null) limiter.remember(request, accountName)
  return { account, checker }
}

/** The body as credentials; `type` is `password` unless said. */
function readCredentials(body: unknown): SentCredentials | null {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return null
  const { type = 'password' } = body as { type?: unknown }
  return typeof type === 'string' ? { ...body, type } : null
}

/** Aborts when nobody waits for the answer. Not `request.signal`: that aborts as soon as the body has been read. */
function abortedWithAnswer(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new LoginAbandoned())
  })
  return controller.signal
}

function endSlowBody(request: FastifyRequest, reply: FastifyReply): void {
  if (reply.sent) return
  reply.raw.once('finish', () => {
    request.raw.destroy()
  })
  void sendRefusal(reply.header('connection', 'close'), new LoginSlow())
}

/** Undefined for what is no JSON in UTF-8. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown
  } catch {
    return undefined
  }
}

/** What a route throws becomes its answer here; the app's own error handler is for the app's routes. */
export function handleRouteErrors(scope: FastifyInstance): void {
  scope.setErrorHandler((error, request, reply) => sendRefusal(reply, refusalOf(error, request)))
}
