/** How the routes answer: JSON text with its own headers, whatever the app's hooks and serializers do to other routes. */
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { DatabaseUnavailableError, PasswordQueueFullError } from './django/index.js'
import {
  DatabaseAway,
  InternalError,
  LoginBody,
  LoginBusy,
  LoginContentType,
  LoginLimit,
  LoginShape,
  RequestRefused,
  type RouteError,
  ServerClosing,
  retryLater,
} from './errors.js'

/** Seconds until a database that is away is worth another try; spread, so that not all come back at once. */
const RETRY_SECONDS = 5
/** Characters of one text of an error in the log. */
const MAX_LOGGED = 8192

/** Sends a body as JSON text; as text it passes the app's serializers and `preSerialization` hooks by. */
export function sendJson(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body))
}

const refusals = new WeakMap<FastifyReply, string>()

/** The code of the refusal that a reply was answered with; null where it was none. */
export function refusalCodeOf(reply: FastifyReply): string | null {
  return refusals.get(reply) ?? null
}

/** Sends a refusal: `{code, message, retryAfter?}`. */
export function sendRefusal(reply: FastifyReply, error: RouteError): FastifyReply {
  const { code, message, statusCode = 500, retryAfterSeconds } = error
  refusals.set(reply, code)
  if (retryAfterSeconds === undefined) return sendJson(reply, statusCode, { code, message })
  return sendJson(reply.header('retry-after', String(retryAfterSeconds)), statusCode, {
    code,
    message,
    retryAfter: retryAfterSeconds,
  })
}

/** The refusal that an error thrown in a route means; what is none of ours is logged and told as a 500 without details. */
export function refusalOf(error: unknown, request: FastifyRequest): RouteError {
  if (isRouteError(error)) return error
  if (error instanceof DatabaseUnavailableError) {
    const { code, database } = error
    request.log.warn({ code, database }, 'perspective: the user database cannot be read')
    return retryLater(DatabaseAway, RETRY_SECONDS + Math.random() * RETRY_SECONDS)
  }
  if (error instanceof PasswordQueueFullError) return retryLater(LoginBusy, error.retryAfterSeconds)
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new LoginBody()
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new LoginContentType()
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new LoginShape()
  }
  // A limit of the app's own, in a hook that runs before ours.
  if (statusCode === 429) return retryLater(LoginLimit, 60)
  if (statusCode === 503) return retryLater(ServerClosing, RETRY_SECONDS)
  // Anything else that the app's hooks refuse a request with keeps its status; their text is for the app's own routes.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return Object.assign(new RequestRefused(), { statusCode })
  }
  logError(request.log, error, 'perspective: a route failed')
  return new InternalError()
}

/**
 * Logs an error by its name, message, stack and code alone: those of a database carry the query, its values and the row.
 * Never throws.
 */
export function logError(
  log: FastifyBaseLogger,
  error: unknown,
  message: string,
  context: object = {},
): void {
  // Not under `err`: pino's own serializer there takes what has a message for an Error, and its type for "Object".
  log.error({ ...context, error: describeError(error) }, message)
}

/** Anything can be thrown, also what throws when it is looked at: whoever logs it must not fail in turn. */
function describeError(error: unknown): object {
  try {
    const { code } = (error ?? {}) as { code?: unknown }
    const shown =
      error instanceof Error
        ? { type: clip(error.name), message: clip(error.message), stack: clip(error.stack ?? '') }
        : { type: typeof error, message: clip(error) }
    return typeof code === 'string' ? { ...shown, code: clip(code) } : shown
  } catch {
    return { type: typeof error, message: 'cannot be shown' }
  }
}

/** An error may quote what a page has sent: a line of the log is no place for a megabyte. */
function clip(value: unknown): string {
  const text = String(value)
  return text.length > MAX_LOGGED ? `${text.slice(0, MAX_LOGGED)}…` : text
}

function isRouteError(error: unknown): error is RouteError {
  return (
    error instanceof Error &&
    String((error as Partial<RouteError>).code).startsWith('PB_ERR_') &&
    'statusCode' in error
  )
}
