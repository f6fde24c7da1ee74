export { authenticate } from './authenticate.js'
export {
  authenticateSession,
  DEFAULT_BACKENDS,
  type SessionLoginOptions,
} from './authenticate-session.js'
export type { DjangoAuthority } from './authority.js'
export { burnPassword, checkPassword, type PasswordOptions } from './check-password.js'
export { OpenDatabase, openDatabase, type Database } from './database.js'
export {
  DatabaseUnavailableError,
  DjangoError,
  HasherMissingError,
  InvalidOptionError,
  PasswordQueueFullError,
  PasswordWorkerError,
  type DatabaseFailure,
} from './errors.js'
export {
  readPasswordDefaults as passwordDefaults,
  type DjangoVersion,
  type PasswordDefaults,
} from './hashers/defaults.js'
export type { HasherName } from './hashers/hasher.js'
export {
  requireHashers,
  resolvePasswordSettings,
  type PasswordCosts,
  type PasswordSettings,
  type ResolvedPasswordSettings,
} from './password-options.js'
export { NotificationListener } from './notifications.js'
export {
  clientProof,
  isProof,
  MIN_PROOF_ITERATIONS,
  readSaltedPassword,
  type SaltedPassword,
} from './hashed-password.js'
export { hasModulePermissions, hasPermission } from './permissions.js'
export { decodeSession, sessionAuthHash, type SessionOptions } from './session.js'
export { DjangoSessions } from './session-store.js'
export {
  resolveSessionStore,
  type SessionEngine,
  type SessionStoreOptions,
} from './session-store-options.js'
export type { SecretKey } from './signing.js'
export { isPasswordOutdated, makePassword, WRITTEN_HASHERS } from './upgrade-password.js'
export type {
  CustomUserFields,
  DjangoAccount,
  DjangoUser,
  User,
  UserModel,
  UserModelOption,
} from './user-model.js'
export { normalizeUsername } from './username.js'
export { DjangoUsers, type DjangoAccountWithGroups } from './users.js'
