/**
 * Gathers messages into frames. What is said in one tick leaves in one frame, or in several that overlap with the
 * peer's work on them; frames, not encoding, are what a call costs.
 */
import { CallError } from './errors.js'
import { packFrame } from './frame.js'
import type { Limits } from './limits.js'
import type { Transport } from './transport.js'
import { CONTINUES, FRAME_TARGET_BYTES } from './wire.js'

/** `bufferedAmount` is looked at once in so many short frames: the read is not free in a browser. */
const FRAMES_BETWEEN_CHECKS = 16

/** Microtasks to the next value of a stream that has it ready; a generator within another takes more than one alone. */
const LINGER = 12

/** A tick's first frame is closed after so many messages: the peer works on them while the others are written. */
const FIRST_FRAME_MESSAGES = 32

const TICK = Promise.resolve()
const NO_BYTES: readonly Uint8Array[] = []
const UTF8 = new TextEncoder()

/** JSON may end in white space; a frame packed early keeps this much, to say later that it continues. */
const SPACE_TO_CONTINUE = '  '
const CONTINUED_END = UTF8.encode(`,${String(CONTINUES)}]`)

export class Outbox {
  readonly #transport: Transport
  readonly #maxQueuedBytes: number
  readonly #maxFrameBytes: number
  readonly #frameTarget: number
  readonly #onFailure: (slowPeer: boolean) => void
  #text = ''
  #bytes: Uint8Array[] | null = null
  /** The frame itself, where one message with many bytes fills it. */
  #packed: Uint8Array | null = null
  #byteCount = 0
  #isReading = false
  #isScheduled = false
  #isStopped = false
  #tick = 0
  /** Messages of this tick. */
  #messages = 0
  #frames = 0
  #beforeNext: (() => void) | null = null
  /** Microtasks that the end of the tick still waits. */
  #patience = 0

  /** `onFailure`: the transport threw, or the peer reads too slowly (true); the outbox has stopped. */
  constructor(transport: Transport, limits: Limits, onFailure: (slowPeer: boolean) => void) {
    this.#transport = transport
    this.#maxQueuedBytes = limits.maxQueuedBytes
    this.#maxFrameBytes = limits.maxFrameBytes
    this.#frameTarget = Math.min(FRAME_TARGET_BYTES, Math.floor(limits.maxFrameBytes / 3))
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

  /**
   * Adds one message, as JSON text, with the bytes that its tags speak of; these are copied.
   *
   * @throws CallError `PB_ERR_LIMIT_FRAME` - it would not fit a frame; nothing was said.
   */
  say(message: string, bytes: readonly Uint8Array[] = NO_BYTES): void {
    if (this.#isStopped) return
    this.settle()
    let byteCount = 0
    for (const part of bytes) byteCount += part.byteLength
    this.#checkSize(message, byteCount)
    // A frame is closed before it gets long, so that it never outgrows what one message may have.
    const size = this.#text.length + this.#byteCount
    const isFull =
      this.#messages === FIRST_FRAME_MESSAGES ||
      (size > 0 && size + message.length + byteCount > this.#frameTarget)
    if (isFull) this.#send(true)
    this.#messages += 1
    this.#text = this.#text === '' ? message : this.#text + ',' + message
    // The caller may change its buffers in this very tick. What nothing else can join is copied but once.
    if (byteCount > this.#frameTarget) {
      this.#packed = packFrame(`[${message}${SPACE_TO_CONTINUE}]`, bytes)
      this.#byteCount = byteCount
    } else if (byteCount > 0) {
      this.#bytes = [...(this.#bytes ?? []), ...bytes.map((part) => part.slice())]
      this.#byteCount += byteCount
    }
    this.#schedule()
  }

  /** Runs once before the next message, whosever it is, and in this tick: what is told late still comes in order. */
  beforeNext(run: () => void): void {
    this.#beforeNext = run
    this.#schedule()
  }

  /** Lets the tick go on a little: a stream has said a value, and its next one should be in the same frame. */
  linger(): void {
    this.#patience = LINGER
  }

  /**
   * Says what is to come before the next message. To be asked before an id is chosen for that one: states are shown by
   * code of the application, which may make calls.
   */
  settle(): void {
    if (this.#beforeNext === null) return
    const run = this.#beforeNext
    this.#beforeNext = null
    run()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isReading) return
    this.#isScheduled = true
    void TICK.then(this.#endTick)
  }

  #checkSize(message: string, byteCount: number): void {
    // A UTF-16 unit is at most three bytes of UTF-8; only what comes near the limit is measured.
    if (message.length * 3 + byteCount <= this.#maxFrameBytes) return
    const size = UTF8.encode(message).byteLength + byteCount
    if (size <= this.#maxFrameBytes) return
    throw new CallError(
      'PB_ERR_LIMIT_FRAME',
      `a message of ${String(size)} bytes, over limits.maxFrameBytes (${String(this.#maxFrameBytes)})`,
    )
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
    this.settle()
    if (this.#text === '' || this.#isStopped) return
    this.#send(false)
  }

  /** Drops what was not sent and accepts nothing more. */
  stop(): void {
    this.#isStopped = true
    this.#beforeNext = null
    this.#text = ''
    this.#bytes = null
    this.#packed = null
  }

  readonly #endTick = (): void => {
    if (this.#patience > 0 && !this.#isReading) {
      this.#patience -= 1
      void TICK.then(this.#endTick)
      return
    }
    this.#isScheduled = false
    if (!this.#isReading) this.flush()
  }

  #close(continues: boolean): string | Uint8Array {
    if (this.#packed === null) {
      const text = continues ? `[${this.#text},${String(CONTINUES)}]` : `[${this.#text}]`
      return this.#bytes === null ? text : packFrame(text, this.#bytes)
    }
    const end = this.#packed.byteLength - this.#byteCount
    if (continues) this.#packed.set(CONTINUED_END, end - CONTINUED_END.byteLength)
    return this.#packed
  }

  #send(continues: boolean): void {
    const frame = this.#close(continues)
    this.#text = ''
    this.#bytes = null
    this.#packed = null
    this.#byteCount = 0
    this.#frames += 1
    if (!continues) {
      this.#tick += 1
      this.#messages = 0
    }
    try {
      this.#transport.send(frame)
    } catch {
      this.stop()
      this.#onFailure(false)
      return
    }
    if (frame.length > this.#frameTarget || this.#frames % FRAMES_BETWEEN_CHECKS === 0) {
      const queued = this.#transport.bufferedAmount
      if (queued !== undefined && queued > this.#maxQueuedBytes) {
        this.stop()
        this.#onFailure(true)
      }
    }
  }
}
