export { Broker } from './broker.js'
export type { BrokerOptions, BrokerStats, CallWatch, PeerHello } from './broker-options.js'
export { Cacheable } from './cacheable.js'
export type { Mirror } from './cacheable.js'
export { Copyable } from './copyable.js'
export type { CopyableClass } from './copyable.js'
export { currentCall } from './current-call.js'
export type { CurrentCall } from './current-call.js'
export type { CallErrorListener, FailedCall } from './failures.js'
export type { Authorize } from './invocation.js'
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
export { localPair } from './local-pair.js'
export { isReference, onDisconnect, release, withOptions } from './reference.js'
export { ReferenceSet } from './reference-set.js'
export { Referenceable, Viewable, reference } from './referenceable.js'
export type { CallOptions } from './remote-record.js'
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
  Views,
} from './remote-types.js'
export type {
  ByReference,
  ByValue,
  LocalOnly,
  MethodName,
  MindOf,
  Mirrored,
  ReservedName,
  TypeProblem,
  ViewedBy,
} from './brands.js'
export type { kMind } from './brands.js'
export type { AbortSignalLike } from './signals.js'
export type { RemoteStream } from './stream-consumer.js'
export { tell } from './tell.js'
export { SUBPROTOCOL } from './transport.js'
export type { CloseReason, Transport } from './transport.js'
export { transportPair } from './transport-pair.js'
export { webSocketTransport } from './websocket-transport.js'
export type { WebSocketLike } from './websocket-transport.js'
