export { authenticate } from './authenticate.js'
export { burnPassword, checkPassword, type PasswordOptions } from './check-password.js'
export { OpenDatabase, openDatabase, type Database } from './database.js'
export {
  DatabaseUnavailableError,
  DjangoError,
  InvalidOptionError,
  PasswordQueueFullError,
  PasswordWorkerError,
  type DatabaseFailure,
} from './errors.js'
export { hasPermission } from './permissions.js'
export type {
  CustomUserFields,
  DjangoAccount,
  DjangoUser,
  User,
  UserModel,
  UserModelOption,
} from './user-model.js'
export { normalizeUsername } from './username.js'
export { DjangoUsers } from './users.js'
