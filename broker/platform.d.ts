// ES2022 has no text encoder, and this room has neither DOM nor Node in its types. Every platform it runs on
// (browsers, workers, Node) has these two, as the WHATWG Encoding Standard defines them; nothing else is assumed.
declare class TextEncoder {
  encode(input: string): Uint8Array<ArrayBuffer>
  encodeInto(input: string, destination: Uint8Array): { read: number; written: number }
}
declare class TextDecoder {
  constructor(label: 'utf-8', options: { fatal: boolean })
  decode(input: Uint8Array): string
}
