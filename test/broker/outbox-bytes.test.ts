// Many bytes are a frame of their own, behind the one that speaks of them: nobody has to copy them out of another frame.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Broker,
  type CloseReason,
  type RemoteMethods,
  Referenceable,
  type Transport,
  reference,
  transportPair,
  unchecked,
} from 'fastify-perspective/broker'
import { ScriptedPeer, binaryFrame, settled } from '../support/scripted-peer.js'

const MANY = 65_536
/** The longest frame that may announce bytes. */
const LONGEST = 1024

class Shelf extends Referenceable {
  static readonly remote: RemoteMethods<Shelf> = { echo: unchecked, sizes: unchecked }
  echo(value: unknown): unknown {
    return value
  }
  sizes(...values: ArrayBufferView[]): number[] {
    return values.map(({ buffer }) => buffer.byteLength)
  }
}

class Desk extends Shelf {
  static override readonly remote: RemoteMethods<Desk> = {
    ...super.remote,
    shelf: true,
    transfer: unchecked,
    pieces: true,
  }
  shelf(): Shelf {
    return new Shelf()
  }
  transfer(value: Uint8Array<ArrayBuffer>): number {
    return structuredClone(value, { transfer: [value.buffer] }).length
  }
  async *pieces(): AsyncGenerator<Uint8Array> {
    for (let piece = 1; piece <= 3; piece++) yield await Promise.resolve(filled(MANY / 2, piece))
  }
}

/** Delivers what is sent before `send` returns. */
class DirectTransport implements Transport {
  other: DirectTransport | null = null
  deliver: (frame: string | Uint8Array) => void = () => undefined
  tellEnd: (reason: CloseReason) => void = () => undefined
  send(frame: string | Uint8Array): void {
    this.other?.deliver(frame)
  }
  close(code: number, reason: string): void {
    this.tellEnd({ code, reason, byPeer: false })
    this.other?.tellEnd({ code, reason, byPeer: true })
  }
  onFrame(listener: (frame: string | Uint8Array) => void): void {
    this.deliver = listener
  }
  onClose(listener: (reason: CloseReason) => void): void {
    this.tellEnd = listener
  }
}

interface Connected {
  readonly client: Broker<Desk>
  /** What the client has sent. */
  readonly frames: (string | Uint8Array)[]
}

async function connect(): Promise<Connected> {
  const [left, right] = transportPair()
  const frames: (string | Uint8Array)[] = []
  const send = right.send.bind(right)
  right.send = (frame) => {
    frames.push(frame)
    send(frame)
  }
  new Broker(left, { root: new Desk() })
  const client = new Broker<Desk>(right)
  await client.peer
  frames.length = 0
  return { client, frames }
}

const filled = (length: number, byte = 7): Uint8Array<ArrayBuffer> =>
  new Uint8Array(length).fill(byte)

describe('P13: a message with more bytes than a frame aims at', () => {
  test('announces them, and they follow as they are', async () => {
    const { client, frames } = await connect()
    assert.deepEqual(await client.root.echo(filled(MANY)), filled(MANY))
    assert.deepEqual(frames, [
      `[[17,1,0,"echo",[["$b",1,${String(MANY)}]],${String(MANY)}],2]`,
      filled(MANY),
    ])
    client.close()
  })

  test('goes on where more is said in the tick, which can name its results', async () => {
    const { client, frames } = await connect()
    const bytes = filled(MANY)
    const small = client.root.echo('before')
    const shelf = client.root.shelf()
    const first = client.root.echo(bytes)
    const second = client.root.echo(filled(20_000, 9))
    const onResult = shelf.echo(new Uint8Array(3))
    // Said already: what is changed now does not cross.
    bytes.fill(0)
    assert.equal(await small, 'before')
    assert.deepEqual(await first, filled(MANY))
    assert.deepEqual(await second, filled(20_000, 9))
    assert.deepEqual(await onResult, new Uint8Array(3))
    const ends = frames.map((frame) => (typeof frame === 'string' ? frame.slice(-3) : frame.length))
    assert.deepEqual(ends, [',1]', ',3]', MANY, ',3]', 20_000, ends.at(-1)])
    assert.ok(frames.at(-1) instanceof Uint8Array)
    client.close()
  })

  test('has several values in one frame of bytes', async () => {
    const { client, frames } = await connect()
    const list = [filled(MANY, 1), new Float64Array(3).fill(0.5), filled(9, 2).buffer, filled(0)]
    assert.deepEqual(await client.root.echo(list), list)
    assert.equal(frames.length, 2)
    assert.equal(frames[1]?.length, MANY + 24 + 9)
    client.close()
  })

  test('is packed where it says too much beside them to be kept', async () => {
    const { client, frames } = await connect()
    const around = `[[17,1,0,"echo",[["",["$b",1,${String(MANY)}]]],${String(MANY)}],2]`.length
    const text = 'x'.repeat(LONGEST - around)
    assert.deepEqual(await client.root.echo([text, filled(MANY)]), [text, filled(MANY)])
    assert.deepEqual(
      frames.map(({ length }) => length),
      [LONGEST, MANY],
    )
    frames.length = 0
    const more = `${text}yy`
    assert.deepEqual(await client.root.echo([more, filled(MANY)]), [more, filled(MANY)])
    assert.equal(frames.length, 1)
    assert.ok(typeof frames[0] !== 'string')
    client.close()
  })

  test('makes values of their own, with a buffer that has nothing else in it', async () => {
    const { client } = await connect()
    type ViewClass = new (buffer: ArrayBuffer) => ArrayBufferView
    const views = [Uint8Array, Int16Array, Float64Array, BigInt64Array, DataView]
    for (const View of views as unknown as ViewClass[]) {
      for (const length of [8, MANY]) {
        const value = new View(new ArrayBuffer(length))
        assert.deepEqual(await client.root.sizes(value), [length])
        const back = (await client.root.echo(value)) as ArrayBufferView
        assert.equal(back.constructor, View)
        assert.equal(back.buffer.byteLength, length)
        assert.notEqual(back.buffer, value.buffer)
      }
    }
    assert.deepEqual(await client.root.sizes(filled(MANY), filled(MANY), filled(0)), [
      MANY,
      MANY,
      0,
    ])
    client.close()
  })

  test('may be transferred by whoever is given them', async () => {
    const { client, frames } = await connect()
    assert.equal(await client.root.transfer(filled(MANY)), MANY)
    assert.equal(frames.length, 2)
    // Behind it in the same frame there may be a tag without bytes.
    const peer = new ScriptedPeer()
    new Broker(peer, { root: new Desk() })
    peer.say([0, 0])
    await settled()
    peer.take()
    peer.say(
      [17, 1, 0, 'transfer', [['$b', 1, 3]], 3],
      [17, 2, 0, 'echo', [['$u']], 0],
      [17, 3, 0, 'echo', [['$b', 1, 0]], 0],
      2,
    )
    peer.sayRaw(new Uint8Array(3))
    await settled()
    assert.equal(peer.closed, null)
    assert.deepEqual(peer.take(), [
      [3, 1, 3],
      [3, 2],
      [19, 3, ['$b', 1, 0], 0],
    ])
    client.close()
  })

  test('leaves neither side what the other one changes', async () => {
    const { client } = await connect()
    const bytes = filled(MANY)
    const back = (await client.root.echo(bytes)) as Uint8Array
    back.fill(1)
    assert.deepEqual(bytes, filled(MANY))
    bytes.fill(2)
    assert.deepEqual(back, filled(MANY, 1))
    client.close()
  })

  test('may be a value of a stream', async () => {
    const { client } = await connect()
    const pieces: number[] = []
    for await (const piece of await client.root.pieces()) pieces.push(piece.length, piece[9] ?? 0)
    assert.deepEqual(pieces, [MANY / 2, 1, MANY / 2, 2, MANY / 2, 3])
    client.close()
  })
})

describe('announced bytes', () => {
  async function start(): Promise<ScriptedPeer> {
    const peer = new ScriptedPeer()
    new Broker(peer, { root: new Desk(), limits: { maxFrameBytes: 100_000 } })
    peer.say([0, 0])
    await settled()
    peer.sent.length = 0
    return peer
  }
  const call = (length: number, id = 1): unknown[] => [
    17,
    id,
    0,
    'echo',
    [['$b', 1, length]],
    length,
  ]

  test('may be few, and begin what continues', async () => {
    const peer = await start()
    peer.say(call(2), 3)
    assert.deepEqual(peer.sent, [])
    peer.sayRaw(new Uint8Array([1, 2]))
    peer.say([1, 2, -1, '', []])
    await settled()
    assert.deepEqual(peer.take().at(-1)?.slice(0, 3), [4, 2, 'PB_ERR_REF_NOT_CALLABLE'])
    assert.equal(peer.closed, null)
  })

  test('of a transport that hands on Node’s Buffers are copied out of their pool', async () => {
    const peer = new ScriptedPeer()
    const seen: unknown[] = []
    const root = reference({ look: (value: Uint8Array) => void seen.push(value.buffer) } as never)
    new Broker(peer, { root })
    peer.say([0, 0])
    const look = (id: number): unknown[] => [17, id, 0, 'look', [['$b', 1, 2]], 2]
    peer.say(look(1), 2)
    peer.sayRaw(Buffer.from([1, 2]))
    peer.sayRaw(Buffer.from(binaryFrame([look(2)], new Uint8Array([3, 4]))))
    await settled()
    assert.deepEqual(seen, [new Uint8Array([1, 2]).buffer, new Uint8Array([3, 4]).buffer])
  })

  test('belong to all messages of their frame', async () => {
    const peer = await start()
    peer.say(call(1, 1), [1, 2, 0, 'echo', ['x']], call(2, 3), 2)
    peer.sayRaw(new Uint8Array([1, 2, 3]))
    await settled()
    const [answers] = peer.sent
    assert.ok(answers instanceof Uint8Array)
    assert.deepEqual(answers.slice(-3), new Uint8Array([1, 2, 3]))
  })

  test('may be none', async () => {
    const peer = await start()
    peer.say([1, 1, 0, 'echo', ['x']], 2)
    peer.sayRaw(new Uint8Array(0))
    await settled()
    assert.deepEqual(peer.take(), [[3, 1, 'x']])
  })

  test('have a limit, and what announces them has another one', async () => {
    const peer = await start()
    const around = JSON.stringify([[1, 1, 0, 'echo', ['']], 2]).length
    peer.say([1, 1, 0, 'echo', ['x'.repeat(LONGEST - around)]], 2)
    peer.sayRaw(new Uint8Array(0))
    peer.say(call(100_000, 2), 2)
    peer.sayRaw(new Uint8Array(100_000))
    await settled()
    assert.equal(peer.closed, null)
  })

  test('come next, also where a transport brings an answer while it sends', async () => {
    const [left, right] = [new DirectTransport(), new DirectTransport()]
    left.other = right
    right.other = left
    const a = new Broker<Desk>(left, { root: new Desk() })
    const b = new Broker<Desk>(right, { root: new Desk() })
    await a.peer
    // Both have something to say in one tick.
    const calls = [a.root.echo(filled(MANY)), b.root.echo('hi')]
    assert.deepEqual(await Promise.all(calls), [filled(MANY), 'hi'])
    a.close()
  })

  test('do not leave where the connection ends meanwhile', async () => {
    const peer = new ScriptedPeer()
    const broker = new Broker<Desk>(peer, { root: new Desk() })
    peer.say([0, 1])
    await settled()
    peer.sent.length = 0
    const send = peer.send.bind(peer)
    peer.send = (frame) => {
      send(frame)
      peer.end()
    }
    await assert.rejects(broker.root.echo(filled(MANY)), { name: 'ConnectionLostError' })
    assert.deepEqual(
      peer.sent.map((frame) => typeof frame),
      ['string'],
    )
  })

  const said = (...messages: unknown[]): string => JSON.stringify(messages)
  const breaches: [name: string, ...frames: (string | Uint8Array)[]][] = [
    ['are text', said(call(1), 2), said([1, 2, 0, 'echo', ['x']])],
    ['are too few', said(call(2), 2), filled(1)],
    ['are too many', said(call(2), 2), filled(3)],
    ['are over the limit', said(call(100_065), 2), filled(100_065)],
    ['are announced by a frame that has some', binaryFrame([call(1), 2], filled(1))],
    ['are announced by a binary frame', binaryFrame([call(1), 2], filled(0))],
    ['are announced by a frame that is too long', `${said(call(1), 2)}${' '.repeat(LONGEST)}`],
    ['are announced by an unknown number', said(call(1), 4), filled(1)],
    ['are announced by no whole number', said(call(1), 2.5), filled(1)],
    ['are announced twice', said(call(1), 2, 2), filled(1)],
  ]
  for (const [name, ...frames] of breaches) {
    test(`that ${name} end the connection`, async () => {
      const peer = await start()
      for (const frame of frames) peer.sayRaw(frame)
      await settled()
      assert.equal(peer.closed?.code, 4400)
      assert.deepEqual(peer.sent, [])
    })
  }

  test('that never come leave nothing behind', async () => {
    const peer = new ScriptedPeer()
    const broker = new Broker(peer, { root: new Desk() })
    peer.say([0, 0], call(5), 2)
    peer.end()
    assert.equal((await broker.closed).code, 1006)
    peer.sayRaw(new Uint8Array(5))
    assert.equal(broker.stats.running, 0)
  })
})
