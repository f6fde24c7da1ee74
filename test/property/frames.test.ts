// Real traffic, broken: both ends of a busy conversation read frames that were flipped, spliced and rewritten. Nothing is thrown
// out of a reader, nothing hangs, nothing is left behind. `npm run fuzz` is the long run; FUZZ_SEED repeats one.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Broker,
  Cacheable,
  type RemoteFunction,
  reference,
  transportPair,
} from 'fastify-perspective/broker'
import { ScriptedPeer, binaryFrame, readFrame, settled } from '../support/scripted-peer.js'

type Frame = string | Uint8Array
const FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 20_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)

/** mulberry32: small, seeded and good enough to break things. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

class Score extends Cacheable<{ list: readonly number[] }> {
  add(n: number): void {
    this.update({ list: [...this.state.list, n] })
  }
}

function makeRoot(): object {
  const score = new Score({ list: [] })
  const root: object = reference({
    echo: (value: unknown) => value,
    later: async (value: unknown) => Promise.resolve(value),
    self: () => root,
    score: () => score,
    add: (n: number) => {
      score.add(n)
    },
    each: async (callback: RemoteFunction<(n: number) => unknown>) => callback(1),
    count: async function* () {
      for (let index = 0; index < 5; index++)
        yield await Promise.resolve({ index, at: new Date(index) })
    },
    fail: () => {
      throw new Error('as it should')
    },
  } as never)
  return root
}

/** What both ends of a conversation that uses everything have said, frame by frame. */
async function record(): Promise<[Frame[], Frame[]]> {
  const said: [Frame[], Frame[]] = [[], []]
  const ends = transportPair().map((transport, index) => {
    const send = transport.send.bind(transport)
    transport.send = (frame) => {
      said[index]?.push(frame)
      send(frame)
    }
    return new Broker(transport, { root: makeRoot() })
  })
  for (const { root } of ends) {
    type Any = Record<string, (...args: unknown[]) => Promise<unknown> & Any>
    const remote = root as unknown as Any
    const call = async (name: string, ...args: unknown[]): Promise<unknown> =>
      (remote[name] as (...all: unknown[]) => Promise<unknown>)(...args).catch(() => undefined)
    await call('echo', { a: [1, null, 'x'], __proto__: null })
    await call('echo', [
      new Date(0),
      5n,
      new Map([[1, new Set(['$'])]]),
      new Uint8Array(9),
      NaN,
      undefined,
      ['$u'],
    ])
    await call('later', new Error('a', { cause: new TypeError('b') }))
    await call('each', (n: number) => n)
    const [first, score] = await Promise.all([
      call('self'),
      call('score'),
      call('fail'),
      call('none'),
    ])
    await call('echo', [first, score, root])
    await call('add', 1)
    await (remote['self'] as () => Any)()['echo']?.('pipelined')
    const controller = new AbortController()
    const given = call('later', controller.signal)
    controller.abort('why')
    await given
    for await (const item of (await call('count')) as AsyncIterable<unknown>) void item
    for (const item of [first, score]) (item as Disposable)[Symbol.dispose]()
    await settled()
  }
  ends[0]?.close()
  return said
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

class Mutator {
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

describe('frames', () => {
  test(
    `T72, T73, P11: ${String(FRAMES)} broken ones are read, and nothing is thrown, hangs or stays`,
    { timeout: 900_000 },
    async () => {
      const random = makeRandom(SEED)
      const corpora = await record()
      const objectKeys = Object.getOwnPropertyNames(Object.prototype).length
      const faults: unknown[] = []
      const unhandled: unknown[] = []
      const onUnhandled = (error: unknown): void => void unhandled.push(error)
      process.on('unhandledRejection', onUnhandled)
      let connections = 0
      let breaches = 0
      let slowest = 0
      const heap: number[] = []
      for (let frames = 0; frames < FRAMES;) {
        const corpus = corpora[connections % 2]!
        const mutator = new Mutator(random, corpus)
        const peer = new ScriptedPeer()
        const broker = new Broker(peer, {
          root: makeRoot(),
          onCallError: (error, { id, method }) => {
            if (id === '' && method === '') faults.push(error)
          },
        })
        // Calls of ours that wait, so that broken answers find something.
        const remote = broker.root as unknown as Record<
          'echo' | 'count',
          (...args: unknown[]) => Promise<unknown>
        >
        const calls = [
          remote.echo(() => 1, new Score({ list: [1] })),
          remote.count(),
          remote.echo(new AbortController().signal),
        ]
        await Promise.resolve()
        const start = random(3) === 0 ? 0 : random(corpus.length)
        peer.sayRaw('[[0,1]]')
        for (
          let index = start;
          index < corpus.length && peer.closed === null && frames < FRAMES;
          index++, frames++
        ) {
          const frame = corpus[index]!
          const began = performance.now()
          peer.sayRaw(random(3) === 0 ? mutator.mutate(frame) : frame === '[[0,1]]' ? '[]' : frame)
          slowest = Math.max(slowest, performance.now() - began)
          if (random(4) === 0) await Promise.resolve()
        }
        if (random(2) === 0) await settled()
        if (peer.closed === null) peer.end()
        else breaches += 1
        await Promise.allSettled(calls)
        assert.ok([1006, 4400].includes((await broker.closed).code))
        const { exported, imported, pending, running, streams, signals } = broker.stats
        assert.deepEqual(
          [exported, imported, pending, running, streams, signals],
          [0, 0, 0, 0, 0, 0],
        )
        connections += 1
        if (connections % 2000 === 0) {
          await settled()
          globalThis.gc?.()
          heap.push(process.memoryUsage().heapUsed)
        }
      }
      await settled()
      process.off('unhandledRejection', onUnhandled)
      console.log(
        `seed ${SEED}: ${FRAMES} frames, ${connections} connections, ${breaches} breaches, slowest ${slowest.toFixed(1)} ms, heap ${heap
          .map((size) => (size / 2 ** 20).toFixed(0))
          .slice(-5)
          .join(' ')} MiB`,
      )
      assert.deepEqual(faults.slice(0, 3), [])
      assert.deepEqual(unhandled.slice(0, 3), [])
      assert.equal(Object.getOwnPropertyNames(Object.prototype).length, objectKeys)
      assert.ok(breaches > connections / 10 && breaches < connections)
      assert.ok(slowest < 2000)
      // The heap breathes; what leaks with each connection would not stop at half as much again.
      if (heap.length >= 10) assert.ok(heap.at(-1)! < heap[4]! * 1.5 + 50 * 2 ** 20)
    },
  )
})
