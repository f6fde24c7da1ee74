/** How much the running calls of one page hold: a call keeps what came in its frame for as long as its method takes. */
import { Refusal } from '../../broker/errors.js'

/** As many shorter frames as calls may run (`limits.maxPendingCalls`) are no more than is let through of longer ones. */
const SHORT_BYTES = 4096

/** A frame of bytes is held with the one that has announced it: 1024 UTF-16 units are at most so many bytes. */
const ANNOUNCEMENT_BYTES = 3 * 1024

interface Frame {
  readonly bytes: number
  /** How many of its calls run. */
  calls: number
}

export class HeldFrames {
  readonly #maxBytes: number
  /** The one that is being read; null for a short one. */
  #frame: Frame | null = null
  /** How long the frame before was. */
  #before = 0
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** A frame has come, and is read before the next one. */
  read(bytes: number): void {
    const held = bytes + Math.min(this.#before, ANNOUNCEMENT_BYTES)
    this.#before = bytes
    this.#frame = held < SHORT_BYTES ? null : { bytes: held, calls: 0 }
  }

  /**
   * Asked before a call is made; its promise is to be told to {@link hold}.
   *
   * @throws Refusal `PB_ERR_LIMIT_PENDING_CALLS`
   */
  assertRoom(): void {
    if (this.#bytes < this.#maxBytes) return
    throw new Refusal(
      'PB_ERR_LIMIT_PENDING_CALLS',
      `calls that run hold ${String(this.#bytes)} bytes (limits.maxQueuedBytes)`,
    )
  }

  /** Whether calls of the frame that is being read count. */
  get isLong(): boolean {
    return this.#frame !== null
  }

  /** A call of the frame that is being read runs on: the frame counts, once, until the last such call has ended. */
  hold(promise: Promise<unknown>): void {
    const frame = this.#frame
    if (frame === null) return
    if (frame.calls++ === 0) this.#bytes += frame.bytes
    const letGo = (): void => {
      if (--frame.calls === 0) this.#bytes -= frame.bytes
    }
    promise.then(letGo, letGo)
  }
}
