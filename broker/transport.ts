/** What a broker needs of a connection. Sans I/O: a socket, a worker or a pair in memory can stand behind it. */

/** Why a connection ended: the code and reason of the close frame (RFC 6455 section 7.4). */
export interface CloseReason {
  /** 1000 and 3000–4999 are said by a side; 1005 and 1006 mean that nothing was said. */
  readonly code: number
  /**
   * At most 123 bytes of UTF-8; empty when nothing was said. Where this package ends a connection by itself it begins with a
   * code: `PB_ERR_WIRE_PROTOCOL` (4400), `PB_ERR_LIMIT_QUEUED_BYTES` (4413), `PB_ERR_SESSION_FAILED` (1011).
   */
  readonly reason: string
  /** Whether the other side, or the network, ended it. */
  readonly byPeer: boolean
}

/**
 * One ordered, reliable connection that carries whole frames.
 *
 * The broker owns it from the moment it is constructed: nobody else sends or closes. `onFrame` and `onClose`
 * are called once each, synchronously, by the broker's constructor; no frame may be delivered before.
 */
export interface Transport {
  /** Sends one `frame`, in order. Bytes belong to the transport afterwards. May throw; the broker then ends. */
  send(frame: string | Uint8Array): void
  /** Ends the connection with a close `code` and a `reason` of at most 123 bytes; the listener of `onClose` still hears of it. */
  close(code: number, reason: string): void
  /** Delivers every frame to `listener`, in order, until the end. Bytes belong to the listener afterwards: their buffer may become a value's. */
  onFrame(listener: (frame: string | Uint8Array) => void): void
  /** Tells `listener` the end once, whoever brought it about. */
  onClose(listener: (reason: CloseReason) => void): void
  /** Bytes handed over and not yet taken by the network, where the transport can tell. */
  readonly bufferedAmount?: number
}

/** The WebSocket subprotocol that a frame stream of this package is (RFC 6455 section 1.9). */
export const SUBPROTOCOL = 'perspective.v1'
