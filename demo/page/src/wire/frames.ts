/** The messages of a frame, as docs/PROTOCOL.md says in sections 1 and 2. */

/** A number at the end of a frame, perhaps with 1 more: the tick goes on. */
const BYTES_FOLLOW = 2

export type Message = readonly [kind: number, ...fields: unknown[]]

/** Reads what goes one way on one connection. */
export class FrameReader {
  #isAnnounced = false

  read(frame: unknown): Message[] {
    // Announced bytes are a frame of their own, with no messages in it.
    if (this.#isAnnounced) {
      this.#isAnnounced = false
      return []
    }
    const text = typeof frame === 'string' ? frame : textOf(frame as ArrayBuffer | Uint8Array)
    const messages = JSON.parse(text) as unknown[]
    const last = messages.at(-1)
    this.#isAnnounced = typeof last === 'number' && last >= BYTES_FOLLOW
    return messages.filter((message): message is Message => Array.isArray(message))
  }
}

/** A binary frame: the length of its JSON, the JSON, bytes. */
function textOf(frame: ArrayBuffer | Uint8Array): string {
  const bytes = frame instanceof Uint8Array ? frame : new Uint8Array(frame)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return new TextDecoder().decode(bytes.subarray(4, 4 + view.getUint32(0, true)))
}
