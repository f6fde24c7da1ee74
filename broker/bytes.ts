/** Byte values: their kinds on the wire, by index. All are little-endian, as every platform of today is. */
const KINDS = [
  ArrayBuffer,
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
] as const

const KIND_OF_TAG: ReadonlyMap<string, number> = new Map(
  KINDS.map((kind, index) => [`[object ${kind.name}]`, index]),
)

/** The kind and the visible bytes of a byte value, or null for anything else. A Node `Buffer` is a Uint8Array. */
export function bytesOf(value: object): { kind: number; bytes: Uint8Array } | null {
  // By tag rather than by class: a view of another realm is one too.
  const kind = KIND_OF_TAG.get(Object.prototype.toString.call(value))
  if (kind === undefined) return null
  if (ArrayBuffer.isView(value)) {
    return { kind, bytes: new Uint8Array(value.buffer, value.byteOffset, value.byteLength) }
  }
  return kind === 0 ? { kind, bytes: new Uint8Array(value as ArrayBuffer) } : null
}

/**
 * Makes a byte value of its own buffer: that of the frame where it has all of it, else a copy, since a view would pin
 * the frame.
 *
 * @returns Null where the kind is unknown or the length does not fit it.
 */
export function bytesToValue(kind: unknown, bytes: Uint8Array): object | null {
  const Kind = typeof kind === 'number' ? KINDS[kind] : undefined
  if (Kind === undefined) return null
  const { byteLength } = bytes
  const isAlone = byteLength > 0 && byteLength === bytes.buffer.byteLength
  // Not its `slice`: that of a `Buffer` copies nothing, and its buffer is Node's pool.
  const { buffer } = isAlone ? bytes : new Uint8Array(bytes)
  if (Kind === ArrayBuffer) return buffer
  // A DataView has no elements.
  const { BYTES_PER_ELEMENT = 1 } = Kind as Partial<typeof Uint8Array>
  const View = Kind as typeof Uint8Array
  return byteLength % BYTES_PER_ELEMENT === 0 ? new View(buffer) : null
}
