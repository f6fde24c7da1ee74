/** `POST <prefix>/renew`: a renewal token in, a ticket out. Runs the checks of the upgrade too, whose answer no page can read. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { sendJson } from '../answers.js'
import {
  LoginShape,
  RenewalBusy,
  RenewalLimit,
  RenewalRejected,
  type RouteError,
  UpgradeFull,
  UpgradeLimit,
  UserChanged,
  retryLater,
} from '../errors.js'
import { type Account, type Portal, userKeyOf } from '../portal/portal.js'
import { revoked } from '../session/endings.js'
import type { SessionRegistry } from '../session/sessions.js'
import type { RenewalClaims, Renewals } from '../ticket/renewal.js'
import { type Tickets, makeJti } from '../ticket/ticket.js'
import { addressKeys } from './address.js'
import { type PostContext, jsonPost } from './json-post.js'
import type { RateLimiter } from './rate-limits.js'
import { TokenBucket } from './token-bucket.js'

export interface RenewRouteContext extends PostContext {
  readonly portal: Portal
  readonly tickets: Tickets
  readonly renewals: Renewals
  readonly limiter: RateLimiter
  readonly registry: SessionRegistry
}

/** Renewals in a second, of all pages together: after a restart they come back at once, and each asks the database. */
const RENEWALS_PER_SECOND = 200

/** Registers the route in a scope that `prepareJsonPosts` has made ready. */
export function registerRenewRoute(scope: FastifyInstance, context: RenewRouteContext): void {
  const bucket = new TokenBucket(RENEWALS_PER_SECOND)
  scope.route({
    ...jsonPost(context, { count: (request) => context.limiter.checkRefusedRenewals(request) }),
    url: '/renew',
    handler: async (request, reply) => {
      try {
        const { token, expected } = readBody(request.body)
        const claims = await verify(token, request, context)
        await admit(claims, expected, request, context, bucket)
        const account = await load(claims, context)
        const { origin = '' } = request.headers
        const lineage = { fam: claims.fam, rj: claims.jti, aut: claims.aut }
        const ticket = await context.tickets.mint(account, origin, makeJti(), lineage)
        const { id, username } = account.user
        request.log.info({ userId: id, checker: account.checker }, 'perspective: renewal')
        return await sendJson(reply, 200, {
          ticket,
          user: { id, username },
          expiresIn: context.tickets.lifetimeSeconds,
        })
      } catch (error) {
        const { statusCode } = error as Partial<RouteError>
        // Guesses, and nothing that an honest page runs into when the server is busy.
        if (statusCode === 400 || statusCode === 401) {
          await context.limiter.countRefusedRenewal(request)
        }
        throw error
      }
    },
  })
}

async function verify(
  token: string,
  request: FastifyRequest,
  { renewals, registry }: RenewRouteContext,
): Promise<RenewalClaims> {
  const claims = await renewals.verify(token)
  if (claims?.org !== (request.headers.origin ?? '')) throw new RenewalRejected()
  const verdict = renewals.present(claims)
  if (verdict === 'current') return claims
  if (verdict === 'reused') {
    const { fam, sub: userId, chk: checker } = claims
    request.log.warn({ fam, userId, checker }, 'perspective: a renewal token was used twice')
    registry.endFamily(userKeyOf(checker, userId), fam, revoked('renewal-reused'))
  }
  throw new RenewalRejected()
}

async function admit(
  { chk, sub, fam }: RenewalClaims,
  expected: string | null,
  request: FastifyRequest,
  { limiter, registry }: RenewRouteContext,
  bucket: TokenBucket,
): Promise<void> {
  const wait = await limiter.countRenewal(request, fam)
  if (wait > 0) throw retryLater(RenewalLimit, wait)
  if (expected !== null && expected !== sub) throw new UserChanged()
  const full = registry.wouldRefuse(userKeyOf(chk, sub), fam, addressKeys(request))
  if (full === 'total') throw retryLater(UpgradeFull, 10 + Math.random() * 20)
  if (full !== null) throw retryLater(UpgradeLimit, 10)
  if (!bucket.take()) throw retryLater(RenewalBusy, 1 + Math.random() * 9)
}

async function load(
  claims: RenewalClaims,
  { portal, renewals }: RenewRouteContext,
): Promise<Account> {
  const account = await portal.load(claims.chk, claims.sub)
  if (account === null || !renewals.isBound(claims, account)) throw new RenewalRejected()
  // Revoked while the database was asked.
  if (renewals.present(claims) !== 'current') throw new RenewalRejected()
  return account
}

function readBody(body: unknown): { token: string; expected: string | null } {
  if (typeof body !== 'object' || body === null) throw new LoginShape()
  const { renewal, expect = null, ...unknown } = body as { renewal?: unknown; expect?: unknown }
  if (Object.keys(unknown).length > 0 || typeof renewal !== 'string') throw new LoginShape()
  if (expect !== null && typeof expect !== 'string') throw new LoginShape()
  return { token: renewal, expected: expect }
}
