// Breaks frames at random, and the same way for the same seed.
import { binaryFrame, readFrame } from '../support/scripted-peer.js'

export type Frame = string | Uint8Array

/** mulberry32: small, seeded and good enough to break things. */
export function makeRandom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const SHARDS = [
  'null',
  '-1',
  '0',
  '1',
  '1e400',
  '[',
  ']',
  '{',
  '}',
  ',',
  '"',
  '"$r"',
  '"$c"',
  '"$t"',
  '["$u"]',
  '["$p",1]',
  '["$y",0]',
  '"__proto__"',
  '{"then":["$f",1]}',
  '[[[[[[]]]]]]',
  '17',
  '1.5',
  '""',
  '\\ud800',
  'true',
]

/** Breaks frames: bits, places where two meet, or one thing in the JSON. */
export class Mutator {
  readonly #random: (below: number) => number
  readonly #corpus: readonly Frame[]

  constructor(random: (below: number) => number, corpus: readonly Frame[]) {
    this.#random = random
    this.#corpus = corpus
  }

  pick<T>(list: readonly T[]): T {
    return list[this.#random(list.length)] as T
  }

  mutate(frame: Frame): Frame {
    switch (this.#random(6)) {
      case 0:
        return this.pick(this.#corpus)
      case 1:
        return this.#flip(frame)
      case 2:
        return this.#splice(frame)
      case 3:
        return this.#shard(frame)
      default:
        return this.#rewrite(frame)
    }
  }

  #flip(frame: Frame): Frame {
    const bytes = Uint8Array.from(
      typeof frame === 'string' ? new TextEncoder().encode(frame) : frame,
    )
    for (let count = this.#random(4); count >= 0; count--) {
      const at = this.#random(bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#random(8))
    }
    return typeof frame === 'string' ? new TextDecoder().decode(bytes) : bytes
  }

  #splice(frame: Frame): Frame {
    const other = this.pick(this.#corpus)
    if (typeof frame === 'string' && typeof other === 'string')
      return frame.slice(0, this.#random(frame.length)) + other.slice(this.#random(other.length))
    const bytes = typeof frame === 'string' ? new TextEncoder().encode(frame) : frame
    return bytes.slice(0, this.#random(bytes.length + 1))
  }

  #shard(frame: Frame): Frame {
    if (typeof frame !== 'string') return this.#rewrite(frame)
    const at = this.#random(frame.length)
    return frame.slice(0, at) + this.pick(SHARDS) + frame.slice(at + this.#random(3))
  }

  /** Stays JSON: one thing in it becomes another. */
  #rewrite(frame: Frame): Frame {
    if (isBytes(frame)) return this.#flip(frame.subarray(this.#random(3)))
    const { messages, bytes } = readFrame(frame)
    const places: [object, string][] = []
    const walk = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return
      for (const [key, child] of Object.entries(node)) {
        places.push([node, key])
        walk(child)
      }
    }
    walk(messages)
    if (places.length === 0) return frame
    for (let count = this.#random(2); count >= 0; count--) {
      const [node, key] = this.pick(places)
      const [other, otherKey] = this.pick(places)
      const values = [
        null,
        -1,
        0,
        1,
        2,
        3,
        2 ** 53,
        1.5,
        '',
        '$',
        'then',
        [],
        {},
        [[]],
        ['$u'],
        ['$f', 1],
        ['$r', 2],
        ['$y', 1],
        ['$a', 1],
        ['$t', 1],
        ['$c', 3, {}],
      ]
      const grown = (node as Record<string, unknown>)[key]
      const value =
        this.#random(3) === 0
          ? structuredClone((other as Record<string, unknown>)[otherKey])
          : typeof grown === 'number' && this.#random(2) === 0
            ? grown + this.#random(5) - 2
            : this.pick(values)
      if (Array.isArray(node) && this.#random(8) === 0)
        node.splice(Number(key), this.#random(2), value)
      else (node as Record<string, unknown>)[key] = value
    }
    return bytes.length === 0 ? JSON.stringify(messages) : binaryFrame(messages, bytes)
  }
}

/** Announced bytes have no JSON in them: what the conversation says of them are zeros. */
function isBytes(frame: Frame): frame is Uint8Array {
  return typeof frame !== 'string' && frame[4] !== '['.charCodeAt(0)
}
