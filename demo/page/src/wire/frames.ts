/** The messages of a frame, as docs/PROTOCOL.md says in sections 1 and 2. */

export type Message = readonly [kind: number, ...fields: unknown[]]

export function readFrame(frame: unknown): Message[] {
  const text = typeof frame === 'string' ? frame : textOf(frame as ArrayBuffer | Uint8Array)
  const messages = JSON.parse(text) as unknown[]
  // A number at the end says that the tick goes on.
  return messages.filter((message): message is Message => Array.isArray(message))
}

/** A binary frame: the length of its JSON, the JSON, bytes. */
function textOf(frame: ArrayBuffer | Uint8Array): string {
  const bytes = frame instanceof Uint8Array ? frame : new Uint8Array(frame)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return new TextDecoder().decode(bytes.subarray(4, 4 + view.getUint32(0, true)))
}
