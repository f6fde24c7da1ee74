export { Broker } from './broker.js'
export type { BrokerOptions, BrokerStats } from './broker.js'
export type { CallErrorListener, FailedCall } from './callee.js'
export type { Authorize } from './invocation.js'
export type { PeerHello } from './inbox.js'
export {
  CallError,
  ConnectionLostError,
  DeadReferenceError,
  PerspectiveError,
  RemoteError,
  UnauthorizedLoginError,
  UnsendableError,
} from './errors.js'
export { DEFAULT_LIMITS } from './limits.js'
export type { Limits } from './limits.js'
export { Referenceable, reference } from './referenceable.js'
export { unchecked } from './remote-methods.js'
export type { RemoteMethods, StandardSchemaV1 } from './remote-methods.js'
export type {
  Local,
  Received,
  Remote,
  RemoteFunction,
  RemoteMethod,
  RemotePromise,
  RemoteReference,
  Sendable,
  Tell,
} from './remote-types.js'
export type {
  ByReference,
  LocalOnly,
  MethodName,
  MindOf,
  ReservedName,
  TypeProblem,
} from './brands.js'
export type { kMind } from './brands.js'
export { isReference, release, tell } from './tell.js'
export { SUBPROTOCOL } from './transport.js'
export type { CloseReason, Transport } from './transport.js'
export { transportPair } from './transport-pair.js'
export { webSocketTransport } from './websocket-transport.js'
export type { WebSocketLike } from './websocket-transport.js'
