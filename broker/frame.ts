/**
 * The form of a frame: JSON as text; where bytes go with it, both in one binary frame, or the JSON as text that announces
 * them and then the bytes alone.
 */
import { ProtocolError } from './errors.js'
import { isNatural } from './plain-value.js'
import { BYTES_FOLLOW, CONTINUES, MAX_ANNOUNCEMENT, UTF8 } from './wire.js'

export const NO_BYTES: Uint8Array = new Uint8Array(0)

const DECODER = new TextDecoder('utf-8', { fatal: true })

/** A binary frame begins with the length of its JSON. */
const HEAD_BYTES = 4

/** What a frame has beside the longest message: brackets, and the head of a binary frame. */
const FRAME_OVERHEAD = 64

/** Copies bytes, in their order, into a buffer of their own that begins with `before` more. */
export function join(parts: readonly Uint8Array[], before = 0): Uint8Array {
  let length = before
  for (const part of parts) length += part.byteLength
  const joined = new Uint8Array(length)
  let offset = before
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.byteLength
  }
  return joined
}

/** A binary frame: the length of the JSON (4 bytes, little-endian), the JSON, the bytes in the order of their tags. */
export function packFrame(text: string, parts: readonly Uint8Array[]): Uint8Array {
  const json = UTF8.encode(text)
  const frame = join([json, ...parts], HEAD_BYTES)
  new DataView(frame.buffer).setUint32(0, json.byteLength, true)
  return frame
}

/** A frame that was read. */
export interface Frame {
  readonly messages: unknown[]
  /** What the messages' tags speak of; null where it is the next frame. */
  readonly bytes: Uint8Array | null
  /** Whether another frame of the same tick follows. */
  readonly continues: boolean
}

/**
 * Reads a frame.
 *
 * @param announced - The frame before, where its bytes are this one.
 * @throws ProtocolError - too long, or of another form.
 */
export function parseFrame(
  frame: string | Uint8Array,
  maxFrameBytes: number,
  announced: Frame | null,
): Frame {
  const size = typeof frame === 'string' ? frame.length : frame.byteLength
  if (size > maxFrameBytes + FRAME_OVERHEAD) {
    throw new ProtocolError(`a frame of ${size} bytes, over limits.maxFrameBytes`)
  }
  if (announced !== null) {
    if (typeof frame === 'string') throw new ProtocolError('text for announced bytes')
    return { ...announced, bytes: frame }
  }
  let text = frame
  let bytes = NO_BYTES
  if (typeof text !== 'string') {
    const view = new DataView(text.buffer, text.byteOffset, text.byteLength)
    const length = text.byteLength < HEAD_BYTES ? Infinity : view.getUint32(0, true)
    if (length > text.byteLength - HEAD_BYTES) {
      throw new ProtocolError('a binary frame shorter than it says')
    }
    bytes = text.subarray(HEAD_BYTES + length)
    text = text.subarray(HEAD_BYTES, HEAD_BYTES + length)
  }
  const messages = parseJson(text)
  if (!Array.isArray(messages)) throw new ProtocolError('a frame that is not an array')
  const last = (messages as unknown[]).at(-1)
  // The constants of wire.ts, and their sum.
  const mark = last === 1 || last === 2 || last === 3 ? (messages.pop() as number) : 0
  const isAnnouncement = (mark & BYTES_FOLLOW) !== 0
  if (isAnnouncement && (typeof frame !== 'string' || size > MAX_ANNOUNCEMENT)) {
    throw new ProtocolError('bytes announced by a long or binary frame')
  }
  return {
    messages: messages as unknown[],
    bytes: isAnnouncement ? null : bytes,
    continues: (mark & CONTINUES) !== 0,
  }
}

/**
 * Cuts bytes in two: those that a message or a tag speaks of, and the rest. Nobody looks at either again once a method has
 * them, for it may transfer their buffer.
 *
 * @throws ProtocolError - `count` is no number of bytes, or more than there are.
 */
export function cut(bytes: Uint8Array, count: unknown): readonly [Uint8Array, Uint8Array] {
  if (!isNatural(count) || count > bytes.byteLength) {
    throw new ProtocolError('bytes that the frame does not have')
  }
  if (count === bytes.byteLength) return [bytes, NO_BYTES]
  return [bytes.subarray(0, count), bytes.subarray(count)]
}

function parseJson(text: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : DECODER.decode(text))
  } catch {
    throw new ProtocolError('a frame that is not JSON')
  }
}
