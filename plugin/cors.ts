/** Pages of other origins: what their browser asks before it shows them an answer (https://fetch.spec.whatwg.org/#http-cors-protocol). */
import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import type {
  FastifyInstance,
  FastifyReply,
  RouteShorthandOptions,
  onRequestHookHandler,
} from 'fastify'
import { isAllowedOrigin, refuseOrigin } from './origins.js'

/** How long a browser may remember what it asked beforehand, in seconds; Chromium's own limit. */
const PREFLIGHT_SECONDS = 7200

/**
 * Lets the pages of the listed origins read the answers of a scope's routes that are registered from now on, and refuses
 * what comes from others before anything else looks at it. Cookies go with requests to `cookiePath` alone.
 */
export function openToOrigins(
  scope: FastifyInstance,
  origins: ReadonlySet<string>,
  cookiePath: string | null,
): void {
  scope.addHook('onRoute', (route) => {
    const cors = corsOptions(origins, route.routePath === cookiePath)
    route.config = { ...route.config, ...configOf(cors) }
  })
  scope.addHook('onRequest', async (request, reply) => {
    if (isAllowedOrigin(origins, request.headers.origin)) return
    // A hook of the app's may have welcomed it already.
    removeCorsHeaders(reply)
    throw refuseOrigin(request, origins)
  })
  scope.addHook('onRequest', corsHook(corsOptions(origins, false)))
}

/** Answers what browsers ask before they send JSON to these paths. */
export function answerPreflights(scope: FastifyInstance, paths: readonly string[]): void {
  for (const path of paths) {
    scope.options(path, (_request, reply) => reply.code(204).header('content-length', '0').send())
  }
}

/** The options of a route whose answers the pages of the listed origins may read; others are served as well. */
export function readableBy(
  origins: ReadonlySet<string>,
): Pick<RouteShorthandOptions, 'onRequest' | 'config'> {
  const cors = corsOptions(origins, false)
  return { onRequest: corsHook(cors), config: configOf(cors) }
}

/** That of the app's own @fastify/cors, if there is one, looks there, and treats our routes as ours does. */
function configOf(cors: FastifyCorsOptions): NonNullable<RouteShorthandOptions['config']> {
  return { cors } as NonNullable<RouteShorthandOptions['config']>
}

function corsHook(options: FastifyCorsOptions): onRequestHookHandler {
  let hook: onRequestHookHandler | undefined
  // Taken out of the plugin: registered, it would answer `OPTIONS *` of the whole app where our prefix is the root, and
  // throw where the app has registered it, too.
  const host = {
    decorateRequest: () => undefined,
    options: () => undefined,
    addHook: (_name: string, handler: onRequestHookHandler) => {
      hook = handler
    },
  }
  fastifyCors(host as unknown as FastifyInstance, options, () => undefined)
  if (hook === undefined) throw new TypeError('@fastify/cors: expected a hook, got none')
  return hook
}

function corsOptions(origins: ReadonlySet<string>, credentials: boolean): FastifyCorsOptions {
  return {
    origin: [...origins],
    credentials,
    methods: ['GET', 'POST'],
    allowedHeaders: ['content-type'],
    // A page cannot read it otherwise; it is in the body, too.
    exposedHeaders: ['retry-after'],
    maxAge: PREFLIGHT_SECONDS,
    // Our route answers, after our own look at the origin.
    preflightContinue: true,
    strictPreflight: false,
  }
}

function removeCorsHeaders(reply: FastifyReply): void {
  for (const name of Object.keys(reply.getHeaders())) {
    if (name.toLowerCase().startsWith('access-control-')) reply.removeHeader(name)
  }
}
