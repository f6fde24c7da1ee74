export * from '../broker/index.js'
export type { CustomUserFields, Database, DjangoUser, User, UserModel } from './django/index.js'
export { type LoginAttempt, type LoginHooks, LoginRefusedError } from './login/login-hooks.js'
export type { LoginOptions } from './login/login-options.js'
export type { RateLimits } from './login/rate-limits.js'
export type {
  AdmissionMessage,
  CallMessage,
  Counts,
  DetachMessage,
  LoginMessage,
} from './observation.js'
export type { PerspectiveOptions } from './options.js'
export { perspective, perspective as default, type PerspectiveServer } from './plugin.js'
export { bindingDigest } from './portal/portal.js'
export type {
  Authority,
  CheckContext,
  CheckedUser,
  Checker,
  SentCredentials,
} from './portal/portal.js'
export { Avatar, LoginDeniedError } from './session/avatar.js'
export type { AnyAvatar, AvatarSession, DetachReason, Realm } from './session/avatar.js'
export type { SessionOptions } from './session/session-options.js'
export type { SessionUser } from './session/session-user.js'
export type { OpenAvatarSession, SessionLimits, Sessions } from './session/sessions.js'
export type { KeySource, TicketKey } from './ticket/key-options.js'
export type { TicketLedger } from './ticket/ledger.js'
export type { RenewalOption, TicketOption } from './ticket/ticket-options.js'
export type { PerspectiveStats } from './stats.js'
export type { DjangoSessionsOption, WaysIn } from './ways-in.js'
