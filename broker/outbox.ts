/**
 * Gathers messages into frames. What is said in one tick leaves in one frame, or in several that overlap with the
 * peer's work on them; frames, not encoding, are what a call costs.
 */
import type { Transport } from './transport.js'
import { CONTINUES, FRAME_TARGET_BYTES } from './wire.js'

/** `bufferedAmount` is looked at once in so many frames: the read is not free in a browser. */
const FRAMES_BETWEEN_CHECKS = 16

const TICK = Promise.resolve()

export class Outbox {
  readonly #transport: Transport
  readonly #maxQueuedBytes: number
  readonly #onFailure: (slowPeer: boolean) => void
  #text = ''
  #bytes: Uint8Array[] | null = null
  #byteCount = 0
  #isReading = false
  #isScheduled = false
  #isStopped = false
  #tick = 0
  #frames = 0

  /** `onFailure`: the transport threw, or the peer reads too slowly (true); the outbox has stopped. */
  constructor(
    transport: Transport,
    maxQueuedBytes: number,
    onFailure: (slowPeer: boolean) => void,
  ) {
    this.#transport = transport
    this.#maxQueuedBytes = maxQueuedBytes
    this.#onFailure = onFailure
  }

  /** The number of the tick now gathered; a call of this tick can still be pipelined onto. */
  get tick(): number {
    return this.#tick
  }

  /** Frames sent; a message said now is in the frame of this number. */
  get frames(): number {
    return this.#frames
  }

  /** Adds one message, as JSON text, with the bytes that its tags speak of. */
  say(message: string, bytes: readonly Uint8Array[] | null = null): void {
    if (this.#isStopped) return
    if (this.#text.length + this.#byteCount >= FRAME_TARGET_BYTES) this.#send(true)
    if (this.#isStopped) return
    this.#text = this.#text === '' ? message : this.#text + ',' + message
    if (bytes !== null) {
      this.#bytes ??= []
      for (const part of bytes) {
        // The caller may change its buffer in this very tick.
        this.#bytes.push(part.slice())
        this.#byteCount += part.byteLength
      }
    }
    if (!this.#isScheduled && !this.#isReading) {
      this.#isScheduled = true
      void TICK.then(this.#endTick)
    }
  }

  /** Holds everything back while a frame is read: its answers leave together. */
  beginReading(): void {
    this.#isReading = true
  }

  endReading(): void {
    this.#isReading = false
    this.flush()
  }

  /** Ends the tick at once. */
  flush(): void {
    if (this.#text === '' || this.#isStopped) return
    this.#send(false)
  }

  /** Drops what was not sent and accepts nothing more. */
  stop(): void {
    this.#isStopped = true
    this.#text = ''
    this.#bytes = null
  }

  readonly #endTick = (): void => {
    this.#isScheduled = false
    if (!this.#isReading) this.flush()
  }

  #send(continues: boolean): void {
    const text = continues ? `[${this.#text},${String(CONTINUES)}]` : `[${this.#text}]`
    const bytes = this.#bytes
    this.#text = ''
    this.#bytes = null
    this.#byteCount = 0
    this.#frames += 1
    if (!continues) this.#tick += 1
    try {
      this.#transport.send(bytes === null ? text : packFrame(text, bytes))
    } catch {
      this.stop()
      this.#onFailure(false)
      return
    }
    if (this.#frames % FRAMES_BETWEEN_CHECKS === 0) {
      const queued = this.#transport.bufferedAmount
      if (queued !== undefined && queued > this.#maxQueuedBytes) {
        this.stop()
        this.#onFailure(true)
      }
    }
  }
}

/** A binary frame: the length of the JSON (4 bytes, little-endian), the JSON, the bytes in the order of their tags. */
function packFrame(text: string, parts: readonly Uint8Array[]): Uint8Array {
  const json = new TextEncoder().encode(text)
  let length = 4 + json.byteLength
  for (const part of parts) length += part.byteLength
  const frame = new Uint8Array(length)
  new DataView(frame.buffer).setUint32(0, json.byteLength, true)
  frame.set(json, 4)
  let offset = 4 + json.byteLength
  for (const part of parts) {
    frame.set(part, offset)
    offset += part.byteLength
  }
  return frame
}
