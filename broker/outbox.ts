/**
 * Gathers messages into frames. What is said in one tick leaves in one frame, or in several that overlap with the
 * peer's work on them; frames, not encoding, are what a call costs.
 */
import { CallError } from './errors.js'
import { join, packFrame } from './frame.js'
import type { Limits } from './limits.js'
import type { Transport } from './transport.js'
import { BYTES_FOLLOW, CONTINUES, FRAME_TARGET_BYTES, MAX_ANNOUNCEMENT, UTF8 } from './wire.js'

/** `bufferedAmount` is looked at once in so many short frames: the read is not free in a browser. */
const FRAMES_BETWEEN_CHECKS = 16

/** Microtasks to the next value of a stream that has it ready; a generator within another takes more than one alone. */
const LINGER = 12

/** A tick's first frame is closed after so many messages: the peer works on them while the others are written. */
const FIRST_FRAME_MESSAGES = 32

const TICK = Promise.resolve()
const NO_BYTES: readonly Uint8Array[] = []

/** What a frame has around its one message, and what it ends with. */
const AROUND_MESSAGE = '[,3]'.length

export class Outbox {
  readonly #transport: Transport
  readonly #maxQueuedBytes: number
  readonly #maxFrameBytes: number
  readonly #frameTarget: number
  readonly #onFailure: (slowPeer: boolean) => void
  #text = ''
  #bytes: Uint8Array[] | null = null
  /** Bytes that are a frame of their own, after that of their one message. */
  #apart: Uint8Array | null = null
  #byteCount = 0
  /** Bytes that have been announced: a transport may bring an answer, and with it the next frame, while it sends. */
  #owed: Uint8Array | null = null
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
    if (this.#isStopped) return
    this.#messages += 1
    this.#text = this.#text === '' ? message : this.#text + ',' + message
    // Copied, since the caller may change its buffers in this very tick.
    if (byteCount > this.#frameTarget && message.length + AROUND_MESSAGE <= MAX_ANNOUNCEMENT) {
      this.#apart = join(bytes)
    } else if (byteCount > 0) {
      this.#bytes = [...(this.#bytes ?? []), ...bytes.map((part) => part.slice())]
    }
    this.#byteCount += byteCount
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
    this.#apart = null
    this.#owed = null
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

  #sendOwed(): void {
    const owed = this.#owed
    this.#owed = null
    if (owed !== null) this.#transport.send(owed)
  }

  #send(continues: boolean): void {
    const apart = this.#apart
    const mark = (continues ? CONTINUES : 0) + (apart === null ? 0 : BYTES_FOLLOW)
    const text = `[${this.#text}${mark === 0 ? '' : `,${String(mark)}`}]`
    const frame = this.#bytes === null ? text : packFrame(text, this.#bytes)
    const size = this.#text.length + this.#byteCount
    this.#text = ''
    this.#bytes = null
    this.#apart = null
    this.#byteCount = 0
    this.#frames += 1
    if (!continues) {
      this.#tick += 1
      this.#messages = 0
    }
    try {
      this.#sendOwed()
      this.#owed = apart
      this.#transport.send(frame)
      this.#sendOwed()
    } catch {
      this.stop()
      this.#onFailure(false)
      return
    }
    if (size > this.#frameTarget || this.#frames % FRAMES_BETWEEN_CHECKS === 0) {
      const queued = this.#transport.bufferedAmount
      if (queued !== undefined && queued > this.#maxQueuedBytes) {
        this.stop()
        this.#onFailure(true)
      }
    }
  }
}
