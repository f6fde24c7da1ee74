/** What every route that takes JSON from a page checks, in the order that costs least, before it looks at the body. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { refusalOf, sendRefusal } from '../answers.js'
import {
  LoginAbandoned,
  LoginContentType,
  LoginLimit,
  LoginShape,
  LoginSlow,
  ServerClosing,
  retryLater,
} from '../errors.js'
import { isAllowedOrigin, refuseOrigin } from '../origins.js'
import type { Verdict } from './rate-limits.js'

export interface PostContext {
  readonly origins: ReadonlySet<string>
  isClosing(): boolean
}

export interface PostChecks {
  /** Counts the request by its address, whatever comes of it. */
  count(request: FastifyRequest): Promise<Verdict>
  /** Refuses a request that names no origin, too: for a route that reads a cookie. Default false. */
  readonly needsOrigin?: boolean
}

const MAX_BODY_BYTES = 8 * 1024
/** From the request's head to the end of its body. */
const BODY_MS = 10_000

/** Gives a scope the one parser of these routes, and their answer to whatever they throw; the app's are for its own routes. */
export function prepareJsonPosts(scope: FastifyInstance): void {
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
  scope.setErrorHandler((error, request, reply) => sendRefusal(reply, refusalOf(error, request)))
}

/**
 * Gives the bodies of a scope's requests a deadline, also of those that are refused before it: a connection whose body never
 * ends is not idle, and would keep the app from closing. To be called before other hooks are added.
 */
export function limitBodyTime(scope: FastifyInstance): void {
  scope.addHook('onRequest', (request, reply, done) => {
    const timer = setTimeout(() => {
      endSlowBody(request, reply)
    }, BODY_MS)
    // Of the request, not of the answer: its end, or that of its connection.
    request.raw.once('close', () => {
      clearTimeout(timer)
    })
    done()
  })
}

/** The options of a `POST` route of a prepared scope, all but `url` and `handler`. */
export function jsonPost(
  context: PostContext,
  checks: PostChecks,
): Pick<RouteOptions, 'bodyLimit' | 'onRequest'> & { readonly method: 'POST' } {
  return {
    method: 'POST',
    bodyLimit: MAX_BODY_BYTES,
    onRequest: async (request) => {
      if (context.isClosing()) throw retryLater(ServerClosing, 1)
      const { origin, 'content-type': contentType = '' } = request.headers
      const isMissing = origin === undefined && checks.needsOrigin === true
      if (isMissing || !isAllowedOrigin(context.origins, origin))
        throw refuseOrigin(request, context.origins)
      const [mediaType = ''] = contentType.split(';', 1)
      if (mediaType.trim().toLowerCase() !== 'application/json') throw new LoginContentType()
      const wait = await checks.count(request)
      if (wait > 0) throw retryLater(LoginLimit, wait)
    },
  }
}

/** Aborts when nobody waits for the answer. Not `request.signal`: that aborts as soon as the body has been read. */
export function abortedWithAnswer(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new LoginAbandoned())
  })
  return controller.signal
}

function endSlowBody(request: FastifyRequest, reply: FastifyReply): void {
  if (reply.sent) {
    request.raw.destroy()
    return
  }
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
