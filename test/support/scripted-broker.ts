// A broker whose peer is a script, and what became of a call.
import { Broker, type ConnectionLostError } from 'fastify-perspective/broker'
import { ScriptedPeer, settled } from './scripted-peer.js'

export type Call = (...args: unknown[]) => Promise<unknown>
/** The methods that the tests call on whatever the peer has. */
export type Any = Record<'echo' | 'hang' | 'thing' | 'end', Call>

/** Starts a broker whose peer has said hello; what it said itself is forgotten. */
export async function start(root: object | Promise<object> = {}): Promise<{
  peer: ScriptedPeer
  broker: Broker
  remote: Any
  faults: unknown[]
}> {
  const peer = new ScriptedPeer()
  const faults: unknown[] = []
  const broker = new Broker(peer, { root, onCallError: (error) => void faults.push(error) })
  peer.say([0, 1])
  await settled()
  peer.sent.length = 0
  return { peer, broker, remote: broker.root as unknown as Any, faults }
}

/** `answered`, or the name and outcome of the error. */
export function outcomeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'answered',
    (error: unknown) => {
      const { name, outcome } = error as ConnectionLostError
      return `${name} ${outcome}`
    },
  )
}
