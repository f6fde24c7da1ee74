// ES2022 has no text encoder, no abort signal and no timer, and this room has neither DOM nor Node in its types. Every
// platform it runs on (browsers, workers, Node) has these as the WHATWG standards define them; nothing else is assumed.
declare class TextEncoder {
  encode(input: string): Uint8Array<ArrayBuffer>
  encodeInto(input: string, destination: Uint8Array): { read: number; written: number }
}
declare class TextDecoder {
  constructor(label: 'utf-8', options: { fatal: boolean })
  decode(input: Uint8Array): string
}
declare class AbortSignal {
  static abort(reason?: unknown): AbortSignal
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}
declare class AbortController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}
/** For the deadlines of calls that were given one; the broker has no other timer. */
declare function setTimeout(callback: () => void, ms: number): unknown
declare function clearTimeout(timer: unknown): void
