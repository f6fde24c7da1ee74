import type { CloseReason, Transport } from './transport.js'

/** What a WebSocket needs to have: the browser's, Node's and the one of `ws` do. */
export interface WebSocketLike {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void
}

// https://websockets.spec.whatwg.org/#dom-websocket-connecting
const CONNECTING = 0
const OPEN = 1
const CLOSED = 3

/**
 * Carries frames over a WebSocket, open or still connecting; frames said before it is open wait for it.
 *
 * Listens at once: what arrives in the packet of the upgrade is not lost if this is called synchronously in the
 * handler. The socket belongs to the transport from then on.
 *
 * @param socket - The page's, Node's, or one of `ws`.
 */
export function webSocketTransport(socket: WebSocketLike): Transport {
  return new WebSocketTransport(socket)
}

class WebSocketTransport implements Transport {
  readonly #socket: WebSocketLike
  /** Frames from before the socket was open; null once it is. */
  #early: (string | Uint8Array)[] | null
  #onFrame: ((frame: string | Uint8Array) => void) | null = null
  #onClose: ((reason: CloseReason) => void) | null = null
  #ended: CloseReason | null = null
  #isClosing = false

  constructor(socket: WebSocketLike) {
    this.#socket = socket
    this.#early = socket.readyState === CONNECTING ? [] : null
    socket.binaryType = 'arraybuffer'
    if (this.#early !== null) {
      socket.addEventListener('open', () => {
        const early = this.#early ?? []
        this.#early = null
        for (const frame of early) this.send(frame)
      })
    }
    socket.addEventListener('message', ({ data }) => {
      this.#onFrame?.(typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer))
    })
    socket.addEventListener('close', ({ code, reason }) => {
      this.#end({ code, reason, byPeer: !this.#isClosing })
    })
    socket.addEventListener('error', () => {
      // A connection that fails before it is open brings no close event everywhere (Node 20's own client).
      if (socket.readyState === CONNECTING || socket.readyState === CLOSED) {
        this.#end({ code: 1006, reason: '', byPeer: true })
      }
    })
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount
  }

  send(frame: string | Uint8Array): void {
    if (this.#early !== null) this.#early.push(frame)
    else if (this.#socket.readyState === OPEN) this.#socket.send(frame as string)
  }

  close(code: number, reason: string): void {
    this.#isClosing = true
    this.#early = null
    this.#socket.close(code, reason)
  }

  onFrame(listener: (frame: string | Uint8Array) => void): void {
    this.#onFrame = listener
  }

  onClose(listener: (reason: CloseReason) => void): void {
    this.#onClose = listener
    if (this.#ended !== null) listener(this.#ended)
    else if (this.#socket.readyState === CLOSED) this.#end({ code: 1006, reason: '', byPeer: true })
  }

  #end(reason: CloseReason): void {
    if (this.#ended !== null) return
    this.#ended = reason
    this.#onClose?.(reason)
  }
}
