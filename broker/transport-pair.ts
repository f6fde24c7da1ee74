import type { CloseReason, Transport } from './transport.js'

/** One end of a pair; frames arrive at the other end in a later microtask, in order. */
class PairedTransport implements Transport {
  other: PairedTransport | null = null
  #onFrame: ((frame: string | Uint8Array) => void) | null = null
  #onClose: ((reason: CloseReason) => void) | null = null
  #closed = false

  send(frame: string | Uint8Array): void {
    const other = this.other
    if (this.#closed || other === null) return
    void Promise.resolve().then(() => {
      if (!other.#closed) other.#onFrame?.(frame)
    })
  }

  close(code: number, reason: string): void {
    if (this.#closed) return
    const other = this.other
    this.#end({ code, reason, byPeer: false })
    void Promise.resolve().then(() => {
      if (other !== null) other.#end({ code, reason, byPeer: true })
    })
  }

  onFrame(listener: (frame: string | Uint8Array) => void): void {
    this.#onFrame = listener
  }

  onClose(listener: (reason: CloseReason) => void): void {
    this.#onClose = listener
  }

  #end(reason: CloseReason): void {
    if (this.#closed) return
    this.#closed = true
    this.#onClose?.(reason)
  }
}

/**
 * Makes two connected transports in memory, for tests and for two brokers in one process.
 *
 * @returns Both ends; closing either closes both.
 */
export function transportPair(): [Transport, Transport] {
  const left = new PairedTransport()
  const right = new PairedTransport()
  left.other = right
  right.other = left
  return [left, right]
}
