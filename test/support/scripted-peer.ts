// A peer that is a script: it sees every frame that a broker sends, and says whatever a test wants, lies included.
import type { CloseReason, Transport } from 'fastify-perspective/broker'

type Frame = string | Uint8Array

export class ScriptedPeer implements Transport {
  /** Frames that the broker has sent and that were not taken yet. */
  readonly sent: Frame[] = []
  closed: CloseReason | null = null
  /** What the transport says is queued. */
  bufferedAmount = 0
  /** Thrown by the next `send` or `close`, where it is set. */
  sendError: Error | null = null
  closeError: Error | null = null
  #onFrame: (frame: Frame) => void = () => undefined
  #onClose: (reason: CloseReason) => void = () => undefined

  send(frame: Frame): void {
    if (this.sendError !== null) throw this.sendError
    this.sent.push(frame)
  }
  close(code: number, reason: string): void {
    this.closed = { code, reason, byPeer: false }
    if (this.closeError !== null) throw this.closeError
  }
  onFrame(listener: (frame: Frame) => void): void {
    this.#onFrame = listener
  }
  onClose(listener: (reason: CloseReason) => void): void {
    this.#onClose = listener
  }

  /** Says messages in one frame; `bytes` makes it a binary one. */
  say(...messages: unknown[]): void {
    this.#onFrame(JSON.stringify(messages))
  }
  /** Says a frame as it is. */
  sayRaw(frame: Frame): void {
    this.#onFrame(frame)
  }
  /** The connection ends, and the peer is said to be the cause. */
  end(code = 1006, reason = ''): void {
    this.#onClose({ code, reason, byPeer: true })
  }
  /** The messages of every frame that was sent since, and forgets them. */
  take(): unknown[][] {
    let isAnnounced = false
    return this.sent.splice(0).flatMap((frame) => {
      const messages = isAnnounced ? [] : readFrame(frame).messages
      isAnnounced = Number(messages.at(-1)) >= 2
      return messages
    })
  }
}

/** A frame as its messages and its bytes. */
export function readFrame(frame: Frame): { messages: unknown[][]; bytes: Uint8Array } {
  if (typeof frame === 'string')
    return { messages: JSON.parse(frame) as unknown[][], bytes: new Uint8Array(0) }
  const length = new DataView(frame.buffer, frame.byteOffset).getUint32(0, true)
  const json = new TextDecoder().decode(frame.subarray(4, 4 + length))
  return { messages: JSON.parse(json) as unknown[][], bytes: frame.subarray(4 + length) }
}

export function binaryFrame(messages: unknown, bytes: Uint8Array, length?: number): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(messages))
  const frame = new Uint8Array(4 + json.length + bytes.length)
  new DataView(frame.buffer).setUint32(0, length ?? json.length, true)
  frame.set(json, 4)
  frame.set(bytes, 4 + json.length)
  return frame
}

/** Until everything has run that is not waiting for a timer or the network. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
