import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { registerClientRoute } from './client-route.js'
import { DjangoUsers, InvalidOptionError, openDatabase } from './django/index.js'
import { openCookieSessions } from './login/cookie-sessions.js'
import { prepareJsonPosts } from './login/json-post.js'
import { LoginEffects } from './login/login-effects.js'
import { registerLoginRoute } from './login/login-route.js'
import { registerLogoutRoute } from './login/logout-route.js'
import { RateLimiter } from './login/rate-limits.js'
import { registerRenewRoute } from './login/renew-route.js'
import { registerTicketRoute } from './login/ticket-route.js'
import { type PerspectiveOptions, type ResolvedOptions, resolveOptions } from './options.js'
import { AnonymousChecker } from './portal/anonymous-checker.js'
import { DjangoChecker } from './portal/django-checker.js'
import { Portal } from './portal/portal.js'
import { SessionRegistry, type Sessions } from './session/sessions.js'
import { registerSocketRoute } from './session/socket-route.js'
import { startClock } from './ticket/clock.js'
import { type OpenTickets, openTickets } from './ticket/open-tickets.js'

/** What the plugin adds to the app: `app.perspective`. */
export interface PerspectiveServer {
  readonly sessions: Sessions
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly perspective: PerspectiveServer
  }
}

/** How long sessions may take to detach and sockets to close when the app does. */
const SHUTDOWN_MS = 5_000

async function register(app: FastifyInstance, options: PerspectiveOptions): Promise<void> {
  const resolved = resolveOptions(options)
  refuseUnusableApp(app)
  const database = openDatabase(resolved.database)
  const users = new DjangoUsers(database, resolved.users)
  const now = startClock()
  const minting = openTickets(resolved.tickets, resolved.renewal, now)
  const cookieSessions = openCookieSessions(
    resolved.waysIn.djangoSessions,
    database,
    users,
    app.log,
    now,
  )
  const registry = new SessionRegistry(resolved.sessions, now, (userKey) => {
    minting.renewals?.families.revokeUser(userKey)
  })
  let isClosing = false

  app.decorate('perspective', Object.freeze({ sessions: registry }))
  app.addHook('preClose', async () => {
    isClosing = true
    await endSessions(registry)
  })
  app.addHook('onClose', () => database.close())

  await app.register(
    async (scope) => {
      prepareJsonPosts(scope)
      if (!scope.hasDecorator('createRateLimit'))
        await scope.register(fastifyRateLimit, { global: false })
      const context = {
        ...createContext(scope, resolved, users, registry, minting, () => isClosing),
        cookieSessions,
        now,
      }
      registerLoginRoute(scope, context)
      if (cookieSessions !== null) registerTicketRoute(scope, context, cookieSessions)
      const { renewals } = context
      if (renewals !== null) {
        registerRenewRoute(scope, { ...context, renewals })
        registerLogoutRoute(scope, { ...context, renewals })
      }
      await registerSocketRoute(scope, `${scope.prefix}/socket`, context)
      await registerClientRoute(scope)
    },
    { prefix: resolved.prefix },
  )
}

function createContext(
  scope: FastifyInstance,
  options: ResolvedOptions,
  users: DjangoUsers,
  registry: SessionRegistry,
  minting: OpenTickets,
  isClosing: () => boolean,
) {
  const warn = (message: string): void => scope.log.warn(`perspective: ${message}`)
  const passwords = { ...options.passwords, warn }
  const effects = new LoginEffects({
    users,
    passwords,
    options: options.login,
    log: scope.log,
    // Nothing compares the password of an open session.
    passwordUpgraded: () => undefined,
  })
  return {
    origins: options.origins,
    realm: options.realm,
    limits: options.limits,
    copyables: options.copyables,
    callTimeoutMs: options.callTimeoutMs,
    log: scope.log,
    portal: new Portal([
      new DjangoChecker(users, passwords),
      ...(options.waysIn.anonymous ? [new AnonymousChecker()] : []),
      ...options.checkers,
    ]),
    ...minting,
    limiter: new RateLimiter(scope, options.rateLimits, options.tickets.keys.limits),
    hooks: options.login.hooks,
    effects,
    registry,
    isClosing,
  }
}

function refuseUnusableApp(app: FastifyInstance): void {
  const { http2, https } = app.initialConfig
  const allowsHttp1 = typeof https === 'object' && https.allowHTTP1
  if (http2 === true && !allowsHttp1) {
    throw new InvalidOptionError(
      'http2',
      'an app that takes HTTP/1.1, or https.allowHTTP1 beside http2: a WebSocket begins there',
      http2,
      'HTTP/2 only',
    )
  }
  if (app.hasDecorator('perspective')) {
    throw new InvalidOptionError(
      'perspective',
      'one registration in a context; put a second one inside app.register(async (child) => …)',
      app,
      'a second one',
    )
  }
}

async function endSessions(registry: SessionRegistry): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, SHUTDOWN_MS)
  })
  const ended = Promise.all(registry.entries().map((entry) => entry.shutdown()))
  await Promise.race([ended, tooLong])
  clearTimeout(timer)
}

/**
 * Lets a Django project's users log in to this app, and gives each of them an avatar that their page can call.
 *
 * Registers `POST <prefix>/login`, `/renew` and `/logout`, `GET <prefix>/socket` and `GET <prefix>/client.js`, with
 * `djangoSessions` also `POST <prefix>/ticket`, and decorates the app with `perspective`. What it opens it closes with the
 * app; a database handed in stays open.
 *
 * @throws InvalidOptionError `PB_ERR_OPT_INVALID` - at `register`: names the option, what was expected and what came.
 * @throws HasherMissingError `PB_ERR_LOGIN_HASHER` - at `register`: a hasher in `hashers` without its package.
 */
export const perspective: FastifyPluginAsync<PerspectiveOptions> = fp(register, {
  fastify: '5.x',
  name: 'fastify-perspective',
})
