export * from '../broker/index.js'
export { connect } from './connect.js'
export type { SessionUser } from './connection.js'
export { ConnectError, RequestError } from './errors.js'
export { login } from './login.js'
export type {
  ConnectionOptions,
  Credentials,
  CustomCredentials,
  ReconnectOptions,
  SessionOptions,
  WebSocketConstructor,
} from './options.js'
export type { Session, SessionState } from './session.js'
