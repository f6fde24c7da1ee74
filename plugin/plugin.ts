import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { registerClientRoute, registerHashedPasswordModule } from './client-route.js'
import { DjangoUsers, InvalidOptionError, openDatabase } from './django/index.js'
import { openCookieSessions } from './login/cookie-sessions.js'
import { prepareJsonPosts } from './login/json-post.js'
import { LoginEffects } from './login/login-effects.js'
import { registerPosts } from './login/posts.js'
import { warnOfProxy } from './login/proxy-warning.js'
import { RateLimiter } from './login/rate-limits.js'
import { Observation } from './observation.js'
import { type PerspectiveOptions, type ResolvedOptions, resolveOptions } from './options.js'
import { openPortal } from './portal/open-portal.js'
import { DJANGO, bindingDigest, userKeyOf } from './portal/portal.js'
import { SessionKeeper } from './session/session-keeper.js'
import { SessionRegistry, type Sessions } from './session/sessions.js'
import { endSessions } from './session/shutdown.js'
import { registerSocketRoute } from './session/socket-route.js'
import { type PerspectiveStats, readStats } from './stats.js'
import { startClock } from './ticket/clock.js'
import { type OpenTickets, openTickets } from './ticket/open-tickets.js'

/** What the plugin adds to the app: `app.perspective`. */
export interface PerspectiveServer {
  /** Who is connected to this process. */
  readonly sessions: Sessions
  /** What is held now, and what has been counted since the plugin was registered; frozen. */
  stats(): PerspectiveStats
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly perspective: PerspectiveServer
  }
}

async function register(app: FastifyInstance, options: PerspectiveOptions): Promise<void> {
  const resolved = resolveOptions(options)
  refuseUnusableApp(app)
  const database = openDatabase(resolved.database)
  const users = new DjangoUsers(database, resolved.users)
  const now = startClock()
  const minting = openTickets(
    resolved.tickets,
    resolved.renewal,
    resolved.sessions.maxAgeSeconds,
    now,
  )
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
  const { log } = app
  const warn = (message: string): void => log.warn(`perspective: ${message}`)
  const passwords = { ...resolved.passwords, warn }
  const { portal, hashedPasswords } = openPortal(resolved, users, passwords, now)
  const keeper = new SessionKeeper({
    registry,
    portal,
    users,
    options: resolved.sessions,
    log,
    aliveSessions: cookieSessions === null ? undefined : (keys) => cookieSessions.alive(keys),
  })
  const observation = new Observation()
  const effects = new LoginEffects({
    users,
    passwords,
    options: resolved.login,
    log,
    passwordUpgraded: (user, from, to) => {
      const account = { user, checker: DJANGO }
      minting.renewals?.rebind({ ...account, binding: from }, { ...account, binding: to })
      const userKey = userKeyOf(DJANGO, user.id)
      registry.rebind(userKey, bindingDigest(from), bindingDigest(to))
    },
  })
  let isClosing = false

  app.decorate(
    'perspective',
    Object.freeze({
      sessions: registry,
      stats: () => readStats(registry, observation.counts, keeper.authorityAge),
    }),
  )
  app.addHook('onReady', async () => {
    keeper.start()
  })
  app.addHook('preClose', async () => {
    isClosing = true
    await keeper.stop()
    await endSessions(registry)
  })
  app.addHook('onClose', () => database.close())

  await app.register(
    async (scope) => {
      prepareJsonPosts(scope)
      warnOfProxy(scope)
      if (!scope.hasDecorator('createRateLimit'))
        await scope.register(fastifyRateLimit, { global: false })
      scope.addHook('onResponse', async (request, reply) => {
        observation.answered(request, reply)
      })
      const shared = {
        portal,
        registry,
        observation,
        effects,
        cookieSessions,
        hashedPasswords,
        now,
      }
      const context = {
        ...createContext(scope, resolved, minting),
        ...shared,
        isClosing: () => isClosing,
      }
      if (minting.mints) {
        await scope.register(async (posts) => {
          registerPosts(posts, context)
        })
      }
      await registerSocketRoute(scope, `${scope.prefix}/socket`, context)
      await registerClientRoute(scope, resolved.origins)
      if (hashedPasswords !== null) await registerHashedPasswordModule(scope, resolved.origins)
    },
    { prefix: resolved.prefix },
  )
}

function createContext(scope: FastifyInstance, options: ResolvedOptions, minting: OpenTickets) {
  return {
    origins: options.origins,
    realm: options.realm,
    limits: options.limits,
    copyables: options.copyables,
    callTimeoutMs: options.callTimeoutMs,
    log: scope.log,
    ...minting,
    limiter: new RateLimiter(scope, options.rateLimits, options.tickets.keys.limits),
    hooks: options.login.hooks,
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
