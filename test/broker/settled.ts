/** Two brokers, or one and a peer that says what it likes; both hold nothing when a test is over. */
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  Broker,
  transportPair,
  type BrokerOptions,
  type BrokerStats,
  type CloseReason,
  type CurrentCall,
  type Remote,
  type Transport,
} from 'fastify-perspective/broker'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

const EMPTY: BrokerStats = {
  exported: 0,
  imported: 0,
  pending: 0,
  running: 0,
  streams: 0,
  signals: 0,
}
const MAX_ROUNDS = 60

/** What one side has said, frame by frame; binary frames as their JSON. */
export class Spoken {
  readonly frames: unknown[][] = []

  /** All messages of one kind, tagged or not. */
  of(kind: number): unknown[][] {
    return this.frames
      .flat()
      .filter((message): message is unknown[] => Array.isArray(message))
      .filter(([first]) => ((first as number) & ~16) === kind)
  }

  hear(frame: string | Uint8Array): void {
    if (typeof frame !== 'string') {
      const length = new DataView(frame.buffer, frame.byteOffset).getUint32(0, true)
      frame = new TextDecoder().decode(frame.subarray(4, 4 + length))
    }
    this.frames.push(JSON.parse(frame) as unknown[])
  }
}

export interface Pair<Server extends object, Client extends object> {
  readonly client: Broker<Server>
  readonly server: Broker<Client>
  /** The server's root, as the client sees it. */
  readonly root: Remote<Server>
  /** The client's root, as the server sees it. */
  readonly mind: Remote<Client>
  readonly byClient: Spoken
  readonly byServer: Spoken
}

/** Runs a test on a connected pair; afterwards, with what its body held collected, neither end may hold anything. */
export async function withPair<Server extends object, Client extends object = object>(
  serverOptions: BrokerOptions,
  clientOptions: BrokerOptions,
  body: (pair: Pair<Server, Client>) => unknown,
): Promise<void> {
  const [serverEnd, clientEnd] = transportPair()
  const [byServer, byClient] = [new Spoken(), new Spoken()]
  const server = new Broker<Client>(tapped(serverEnd, byServer), serverOptions)
  const client = new Broker<Server>(tapped(clientEnd, byClient), clientOptions)
  try {
    await body({ client, server, root: client.root, mind: server.root, byClient, byServer })
    await settled(server, client)
  } finally {
    server.close()
    client.close()
  }
}

/** Waits, and collects garbage, until none of them holds anything. */
export async function settled(...brokers: Broker[]): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (brokers.every(({ stats }) => Object.values(stats).every((count) => count === 0))) return
    await collect()
  }
  for (const { stats } of brokers) assert.deepEqual(stats, EMPTY)
}

/** Lets the collector run, and what it found be told. */
export async function collect(): Promise<void> {
  await turn()
  gc()
  await turn()
}

/** Waits until something is so; the message says what never was. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (isSo()) return
    await turn()
  }
  assert.fail(`never: ${what}`)
}

export interface Hostile<Peer extends object> {
  readonly broker: Broker<Peer>
  /** Sends messages to the broker, in one frame, and waits until it has read them. */
  readonly say: (...messages: unknown[]) => Promise<void>
  readonly sayFrame: (frame: string | Uint8Array) => Promise<void>
  /** What the broker has said. */
  readonly heard: Spoken
}

/** Runs a test of one broker whose peer is the test. */
export async function withHostile<Peer extends object>(
  options: BrokerOptions,
  body: (hostile: Hostile<Peer>) => unknown,
): Promise<void> {
  const [end, wire] = transportPair()
  const heard = new Spoken()
  wire.onFrame((frame) => heard.hear(frame))
  wire.onClose(() => undefined)
  const broker = new Broker<Peer>(end, options)
  const sayFrame = async (frame: string | Uint8Array): Promise<void> => {
    wire.send(frame)
    await turn()
  }
  try {
    await body({
      broker,
      sayFrame,
      say: (...messages) => sayFrame(JSON.stringify(messages)),
      heard,
    })
  } finally {
    broker.close()
  }
  await settled(broker)
}

/** The broker has ended the connection because of a breach, and says which. */
export async function assertBreach(broker: Broker, message: RegExp): Promise<void> {
  const reason = await Promise.race([broker.closed, turn(null)])
  assert.ok(reason !== null, 'a breach went unnoticed')
  assert.equal(reason.code, 4400)
  assert.equal(reason.byPeer, false)
  assert.match(reason.reason, /^PB_ERR_WIRE_PROTOCOL: /)
  assert.match(reason.reason, message)
}

/** The connection is up, and the broker still answers. */
export async function assertAlive(broker: Broker): Promise<void> {
  assert.equal(await Promise.race([broker.closed.then(describe), turn('up')]), 'up')
}

function describe({ code, reason }: CloseReason): string {
  return `closed: ${code} ${reason}`
}

function tapped(transport: Transport, spoken: Spoken): Transport {
  return {
    send: (frame) => {
      spoken.hear(frame)
      transport.send(frame)
    },
    close: (code, reason) => transport.close(code, reason),
    onFrame: (listener) => transport.onFrame(listener),
    onClose: (listener) => transport.onClose(listener),
  }
}

/** A method that answers when its call is given up, and never before: until then it counts as running. */
export function untilGivenUp({ signal }: CurrentCall): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve()
    })
  })
}
