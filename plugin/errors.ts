/** What the routes answer instead of success, in one table: code, text for the page, HTTP status. */
import createError from '@fastify/error'

/** A refusal of a route; `retryAfterSeconds` becomes Retry-After. */
export interface RouteError extends Error {
  readonly code: string
  readonly statusCode?: number
  retryAfterSeconds?: number
}
type RouteErrorClass = new () => RouteError

const define = (code: string, message: string, status: number): RouteErrorClass =>
  createError(code, message, status)

export const LoginRejected: RouteErrorClass = define(
  'PB_ERR_LOGIN_REJECTED',
  'The user name or the password is wrong.',
  401,
)
export const LoginShape: RouteErrorClass = define(
  'PB_ERR_LOGIN_SHAPE',
  'Expected a JSON object of the form of this route: for a login "username" and "password" as text, and nothing else.',
  400,
)
export const UserChanged: RouteErrorClass = define(
  'PB_ERR_USER_CHANGED',
  'The session cookie is of another user by now.',
  409,
)
export const LoginContentType: RouteErrorClass = define(
  'PB_ERR_LOGIN_CONTENT_TYPE',
  'Expected content-type application/json.',
  415,
)
export const LoginBody: RouteErrorClass = define(
  'PB_ERR_LOGIN_BODY',
  'Expected at most 8 KiB.',
  413,
)
export const LoginSlow: RouteErrorClass = define(
  'PB_ERR_LOGIN_SLOW',
  'The request took too long to arrive.',
  408,
)
export const LoginLimit: RouteErrorClass = define(
  'PB_ERR_LOGIN_LIMIT',
  'Too many logins; try again later.',
  429,
)
export const LoginBusy: RouteErrorClass = define(
  'PB_ERR_LOGIN_BUSY',
  'Too many logins at once; try again soon.',
  503,
)
export const LoginAbandoned: RouteErrorClass = define(
  'PB_ERR_LOGIN_ABANDONED',
  'The page hung up before its answer.',
  // Nobody reads it; in logs it is known as "client closed request".
  499,
)
export const RequestRefused: RouteErrorClass = define(
  'PB_ERR_REQUEST_REFUSED',
  'The app refused the request before it came to a route of fastify-perspective.',
  400,
)
export const DatabaseAway: RouteErrorClass = define(
  'PB_ERR_DB_UNAVAILABLE',
  'The user database cannot be reached; try again soon.',
  503,
)
export const ServerClosing: RouteErrorClass = define(
  'PB_ERR_SERVER_CLOSING',
  'The server is shutting down; try again soon.',
  503,
)
/** Made with the origin that was refused. */
export const OriginRefused: new (origin: string) => RouteError = createError<[string]>(
  'PB_ERR_ORIGIN_REFUSED',
  "The server's allowedOrigins does not have the origin of this request: %s.",
  403,
)
export const UpgradeRequired: RouteErrorClass = define(
  'PB_ERR_UPGRADE_REQUIRED',
  'Expected an upgrade to WebSocket.',
  426,
)
export const UpgradeProtocol: RouteErrorClass = define(
  'PB_ERR_UPGRADE_PROTOCOL',
  'Expected Sec-WebSocket-Protocol: perspective.v1, ticket.<ticket>.',
  400,
)
export const UpgradeLimit: RouteErrorClass = define(
  'PB_ERR_UPGRADE_LIMIT',
  'Too many sessions, or too many refused attempts; try again later.',
  429,
)
export const UpgradeFull: RouteErrorClass = define(
  'PB_ERR_UPGRADE_FULL',
  'The server has as many sessions as it takes; try again later.',
  503,
)
export const UpgradeSlow: RouteErrorClass = define(
  'PB_ERR_UPGRADE_SLOW',
  'The admission took too long; try again soon.',
  503,
)
export const TicketInvalid: RouteErrorClass = define(
  'PB_ERR_TICKET_INVALID',
  'The ticket is not valid: expired, used before, or not of this server.',
  401,
)
export const LedgerAway: RouteErrorClass = define(
  'PB_ERR_TICKET_LEDGER',
  'The ledger of used tickets cannot be asked; try again soon.',
  503,
)
export const RenewalRejected: RouteErrorClass = define(
  'PB_ERR_RENEWAL_REJECTED',
  'The renewal token is not valid any more; log in again.',
  401,
)
export const RenewalLimit: RouteErrorClass = define(
  'PB_ERR_RENEWAL_LIMIT',
  'Too many renewals; try again later.',
  429,
)
export const RenewalBusy: RouteErrorClass = define(
  'PB_ERR_RENEWAL_BUSY',
  'Too many pages come back at once; try again soon.',
  503,
)
export const InternalError: RouteErrorClass = define(
  'PB_ERR_SERVER_FAILED',
  'The server failed; its log says why.',
  500,
)

/** An error with its seconds to wait. */
export function retryLater(ErrorClass: RouteErrorClass, seconds: number): RouteError {
  const error = new ErrorClass()
  error.retryAfterSeconds = Math.max(1, Math.ceil(seconds))
  return error
}
