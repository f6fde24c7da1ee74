// Real traffic, broken: both ends of a busy conversation read frames that were flipped, spliced and rewritten. Nothing is thrown
// out of a reader, nothing hangs, nothing is left behind. `npm run fuzz` is the long run; FUZZ_SEED repeats one.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  Broker,
  Cacheable,
  type RemoteFunction,
  reference,
  transportPair,
} from 'fastify-perspective/broker'
import { settled } from '../support/scripted-peer.js'
import { type Frame, Mutator, makeRandom } from './mutator.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 20_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)

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

type Any = Record<string, (...args: unknown[]) => Promise<unknown> & Any>

/** Says something of everything, never waiting for an answer that may be lost; tells what came of each call. */
async function converse(ends: readonly Broker[]): Promise<Promise<unknown>[]> {
  const calls: Promise<unknown>[] = []
  const controllers: AbortController[] = []
  for (let round = 0; round < 2; round++) {
    for (const { root } of ends) {
      const remote = root as unknown as Any
      const call = (name: string, ...args: unknown[]): Promise<unknown> => {
        const promise = (remote[name] as (...all: unknown[]) => Promise<unknown>)(...args)
        calls.push(promise)
        return promise
      }
      const dispose = (value: unknown): void => {
        const disposable = value as Partial<Disposable> | null | undefined
        disposable?.[Symbol.dispose]?.()
      }
      const controller = new AbortController()
      controllers.push(controller)
      void call('echo', { a: [1, null, 'x'] })
      void call('echo', [5n, new Map([[1, new Set(['$'])]]), new Uint8Array(9), NaN, ['$u']])
      // So many are a frame of their own.
      void call('echo', new Uint8Array(20_000))
      void call('later', new Error('a', { cause: new TypeError('b') }), controller.signal)
      void call('each', (n: number) => n)
      void call('fail')
      await settled()
      void call('self').then(dispose, () => undefined)
      void call('echo', [root, makeRoot(), new Score({ list: [1] })]).catch(() => undefined)
      void call('score').then(
        (score) => setImmediate(dispose, score),
        () => undefined,
      )
      void call('add', 1)
      calls.push((remote['self'] as () => Any)()['echo']?.('pipelined') as Promise<unknown>)
      void call('count')
        .then(async (stream) => {
          const items: unknown[] = []
          for await (const item of stream as AsyncIterable<unknown>) items.push(item)
        })
        .catch(() => undefined)
      await settled()
      controllers.pop()?.abort('why')
      await settled()
    }
  }
  await settled()
  return calls
}

/** A connection whose frames go through `change`. */
function connect(
  change: (frame: Frame, from: number) => Frame,
  onFault: (error: unknown) => void,
): Broker[] {
  return transportPair().map((transport, index) => {
    const send = transport.send.bind(transport)
    transport.send = (frame) => {
      send(change(frame, index))
    }
    return new Broker(transport, {
      root: makeRoot(),
      onCallError: (error, { id, method }) => {
        if (id === '' && method === '') onFault(error)
      },
    })
  })
}

describe('frames', () => {
  test(
    `T72, T73, P11: ${String(FRAMES)} broken ones are read, and nothing is thrown, hangs or stays`,
    { timeout: 3_600_000 },
    async () => {
      const random = makeRandom(SEED)
      const objectKeys = Object.getOwnPropertyNames(Object.prototype).length
      const faults: unknown[] = []
      const unhandled: unknown[] = []
      const onUnhandled = (error: unknown): void => void unhandled.push(error)
      process.on('unhandledRejection', onUnhandled)
      const corpus: Frame[] = []
      const ends = connect(
        (frame) => {
          corpus.push(frame)
          return frame
        },
        (error) => void faults.push(error),
      )
      await Promise.allSettled(await converse(ends))
      ends[0]?.close()
      const mutator = new Mutator(random, corpus)
      let connections = 0
      let breaches = 0
      let frames = 0
      let slowest = 0
      const heap: number[] = []
      const talk = async (): Promise<void> => {
        const oneIn = 2 + random(60)
        const ends = connect(
          (frame) => {
            frames += 1
            return random(oneIn) === 0 ? mutator.mutate(frame) : frame
          },
          (error) => void faults.push(error),
        )
        const began = performance.now()
        const calls = await converse(ends)
        if (random(2) === 0) ends[0]!.close()
        else ends[1]!.close()
        await Promise.allSettled(calls)
        slowest = Math.max(slowest, performance.now() - began)
        const codes = await Promise.all(ends.map(async ({ closed }) => (await closed).code))
        assert.ok(
          codes.every((code) => code === 1000 || code === 4400),
          String(codes),
        )
        if (codes.includes(4400)) breaches += 1
        for (const { stats } of ends) {
          const { exported, imported, pending, running, streams, signals } = stats
          assert.deepEqual(
            [exported, imported, pending, running, streams, signals],
            [0, 0, 0, 0, 0, 0],
          )
        }
        connections += 1
        if (connections % 500 !== 0) return
        // What can be collected is no growth.
        collectGarbage()
        heap.push(process.memoryUsage().heapUsed)
      }
      // Several at once: what one connection suffers is no other's business.
      while (frames < FRAMES) await Promise.all(Array.from({ length: 16 }, talk))

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
      assert.ok(breaches > connections / 10 && breaches < connections * 0.95)
      assert.ok(slowest < 20_000)
      // The heap breathes; what leaks with each connection would not stop at half as much again.
      if (heap.length >= 10)
        assert.ok(Math.min(...heap.slice(-5)) < Math.min(...heap.slice(0, 5)) * 2 + 20 * 2 ** 20)
    },
  )
})
