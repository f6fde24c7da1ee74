// A broker with something of every kind to be attacked.
import { Broker, Cacheable, reference } from 'fastify-perspective/broker'
import { ScriptedPeer, settled } from './scripted-peer.js'

class Score extends Cacheable<object> {}
export interface Attacked {
  readonly peer: ScriptedPeer
  readonly broker: Broker
  readonly received: unknown[]
  readonly faults: unknown[]
}

export async function attack(): Promise<Attacked> {
  const peer = new ScriptedPeer()
  const received: unknown[] = []
  const faults: unknown[] = []
  const thing = reference({ ping: () => 'pong' } as never)
  const score = new Score({ n: 1 })
  const root = reference({
    take: (...values: unknown[]) => void received.push(...values),
    echo: async (value: unknown) => Promise.resolve(value),
    thing: () => thing,
    score: () => score,
    adder: () => (a: number, b: number) => a + b,
    stream: async function* () {
      yield await Promise.resolve(1)
    },
  } as never)
  const broker = new Broker(peer, { root, onCallError: (error) => void faults.push(error) })
  peer.say([0, 1])
  await settled()
  peer.sent.length = 0
  return { peer, broker, received, faults }
}

/** A tagged call of `take`. */
export const call = (id: unknown, ...args: unknown[]): unknown[] => [17, id, 0, 'take', args, 0]

export function nest(levels: number): unknown {
  let value: unknown = []
  for (let level = 1; level < levels; level++) value = [value]
  return value
}
