/** The form of a frame: JSON as text, or, where bytes go with it, both in one binary frame. */
import { ProtocolError } from './errors.js'

export const NO_BYTES: Uint8Array = new Uint8Array(0)

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder('utf-8', { fatal: true })

/** What a frame has beside the longest message: brackets, and the head of a binary frame. */
const FRAME_OVERHEAD = 64

/** A binary frame: the length of the JSON (4 bytes, little-endian), the JSON, the bytes in the order of their tags. */
export function packFrame(text: string, parts: readonly Uint8Array[]): Uint8Array {
  const json = ENCODER.encode(text)
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

/**
 * Reads a frame into its messages and the bytes that they speak of.
 *
 * @throws ProtocolError - too long, or of another form.
 */
export function parseFrame(
  frame: string | Uint8Array,
  maxFrameBytes: number,
): { messages: unknown[]; bytes: Uint8Array } {
  const size = typeof frame === 'string' ? frame.length : frame.byteLength
  if (size > maxFrameBytes + FRAME_OVERHEAD) {
    throw new ProtocolError(`a frame of ${size} bytes, over limits.maxFrameBytes`)
  }
  let text = frame
  let bytes = NO_BYTES
  if (typeof text !== 'string') {
    const view = new DataView(text.buffer, text.byteOffset, text.byteLength)
    const length = text.byteLength < 4 ? Infinity : view.getUint32(0, true)
    if (length > text.byteLength - 4) throw new ProtocolError('a binary frame shorter than it says')
    bytes = text.subarray(4 + length)
    text = decodeText(text.subarray(4, 4 + length))
  }
  const messages = parseJson(text)
  if (!Array.isArray(messages)) throw new ProtocolError('a frame that is not an array')
  return { messages: messages as unknown[], bytes }
}

function decodeText(json: Uint8Array): string {
  try {
    return DECODER.decode(json)
  } catch {
    throw new ProtocolError('a frame that is not UTF-8')
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ProtocolError('a frame that is not JSON')
  }
}
