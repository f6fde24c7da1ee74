// What leaves when: frames, ticks and their counts.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Broker,
  type Transport,
  localPair,
  reference,
  tell,
  transportPair,
} from 'fastify-perspective/broker'
import { ScriptedPeer, readFrame, settled } from '../support/scripted-peer.js'

interface Root {
  echo(value: unknown): unknown
  later(value: unknown): Promise<unknown>
  self(): Root
  each(callback: (value: number) => number): number
  none(): void
}
type Call = (...args: unknown[]) => Promise<unknown> & Any
/** The root without its types: what a test says need not make sense. */
type Any = Record<keyof Root, Call>

const methods = {
  echo: (value: unknown) => value,
  later: async (value: unknown) => Promise.resolve(value),
  self: () => root,
  each: async (callback: (value: number) => Promise<number>) => callback(7),
  none: () => undefined,
}
const root = reference(methods as never)

async function start(): Promise<{ peer: ScriptedPeer; broker: Broker<Root>; remote: Any }> {
  const peer = new ScriptedPeer()
  const broker = new Broker<Root>(peer, { root })
  peer.say([0, 1])
  await settled()
  peer.sent.length = 0
  return { peer, broker, remote: broker.root as unknown as Any }
}

/** Counts frames and their bytes, and keeps them. */
function counted(transport: Transport): Transport & { frames: (string | Uint8Array)[] } {
  const frames: (string | Uint8Array)[] = []
  return {
    frames,
    send(frame) {
      frames.push(frame)
      transport.send(frame)
    },
    close: (code, reason) => {
      transport.close(code, reason)
    },
    onFrame: (listener) => {
      transport.onFrame(listener)
    },
    onClose: (listener) => {
      transport.onClose(listener)
    },
  }
}

describe('a tick', () => {
  test('is one frame, whatever is said in it', async () => {
    const { peer, remote, broker } = await start()
    void remote.echo(1)
    tell(broker.root).none()
    void remote.echo(new Date(0))
    assert.equal(peer.sent.length, 0)
    await settled()
    assert.deepEqual(
      peer.sent.map((frame) => readFrame(frame).messages),
      [
        [
          [1, 1, 0, 'echo', [1]],
          [2, 0, 'none', []],
          [17, 2, 0, 'echo', [['$d', 0]], 0],
        ],
      ],
    )
    peer.end()
  })

  test('ends with a microtask: an idle connection says its first message before any timer', async () => {
    const { peer, remote } = await start()
    void remote.echo(1)
    await Promise.resolve()
    assert.equal(peer.sent.length, 1)
    void remote.echo(2)
    await Promise.resolve()
    assert.equal(peer.sent.length, 2)
    peer.end()
  })

  test('takes what microtasks queued before its end have said', async () => {
    const { peer, remote } = await start()
    const earlier = Promise.resolve()
    void earlier.then(() => void remote.echo('a'))
    void earlier.then(() => void remote.echo('b'))
    await settled()
    assert.equal(peer.sent.length, 1)
    peer.end()
  })

  test('that is long is cut near 16 kB, marked, and closed without the mark', async () => {
    const { peer, remote } = await start()
    for (let index = 0; index < 100; index++) void remote.echo('x'.repeat(1000))
    // The first frames are on their way before the last call was made.
    assert.ok(peer.sent.length >= 5)
    await settled()
    const frames = peer.sent.map((frame) => ({ size: frame.length, ...readFrame(frame) }))
    const marks = frames.map(({ messages }) => (messages.at(-1) as unknown) === 1)
    assert.deepEqual(marks, [...frames.slice(1).map(() => true), false])
    for (const { size } of frames) assert.ok(size <= 16_384 + 64, String(size))
    for (const { size } of frames.slice(0, -1)) assert.ok(size > 15_000, String(size))
    const ids = frames.flatMap(({ messages }) => messages).filter(Array.isArray)
    assert.deepEqual(
      ids.map(([, id]) => id as number),
      [...Array(100).keys()].map((id) => id + 1),
    )
    peer.end()
  })

  test('keeps a message over 16 kB whole, in a frame of its own', async () => {
    const { peer, remote } = await start()
    void remote.echo('a')
    void remote.echo('x'.repeat(100_000))
    void remote.echo('b')
    await settled()
    const counts = peer.sent.map((frame) => readFrame(frame).messages.filter(Array.isArray).length)
    assert.deepEqual(counts, [1, 1, 1])
    peer.end()
  })

  test('counts the bytes of tags when it cuts', async () => {
    const { peer, remote } = await start()
    for (let index = 0; index < 10; index++) void remote.echo(new Uint8Array(5000))
    await settled()
    assert.equal(peer.sent.length, 4)
    const bytes = peer.sent.map((frame) => readFrame(frame).bytes.length)
    assert.deepEqual(bytes, [15_000, 15_000, 15_000, 5000])
    peer.end()
  })

  test('that was cut can still be pipelined onto, and the next one can not', async () => {
    const [left, right] = localPair<Root, Root>({ root }, { root })
    const remote = left.root as unknown as Any
    const first = remote.self()
    for (let index = 0; index < 40; index++) void remote.echo('x'.repeat(1000))
    assert.equal(await first.echo('on the first'), 'on the first')
    const older = remote.self()
    await settled()
    // Its answer is waited for: no id of a tick that is over goes over the wire.
    assert.equal(await older.echo('on an older one'), 'on an older one')
    right.close()
    await left.closed
  })

  test('names a result across the frames of one tick only', async () => {
    const { peer } = await start()
    peer.say([1, 1, 0, 'self', []], 1)
    peer.say([1, 2, -1, 'echo', ['same tick']])
    peer.say([1, 3, -1, 'echo', ['next tick']])
    await settled()
    const messages = peer.take()
    assert.deepEqual(messages[1], [3, 2, 'same tick'])
    assert.deepEqual(messages[2]?.slice(0, 3), [4, 3, 'PB_ERR_REF_UNKNOWN'])
    peer.end()
  })

  test('may be empty, continue with nothing, and arrive one message a frame', async () => {
    const { peer } = await start()
    peer.sayRaw('[]')
    peer.sayRaw('[1]')
    peer.say([1, 1, 0, 'self', []], 1)
    peer.sayRaw('[1]')
    peer.say([1, 2, -1, 'echo', [1]])
    await settled()
    assert.deepEqual(peer.take()[1], [3, 2, 1])
    assert.equal(peer.closed, null)
    peer.end()
  })
})

describe('answers', () => {
  test('to one frame leave together, before the reader has returned', async () => {
    const { peer } = await start()
    peer.say([1, 1, 0, 'echo', [1]], [1, 2, 0, 'none', []], [1, 3, 0, 'nothing', []])
    assert.equal(peer.sent.length, 1)
    assert.deepEqual(
      readFrame(peer.sent[0]!).messages.map((message) => message.slice(0, 2)),
      [
        [3, 1],
        [3, 2],
        [4, 3],
      ],
    )
    peer.end()
  })

  test('of methods that wait leave together in a later tick', async () => {
    const { peer } = await start()
    peer.say([1, 1, 0, 'later', [1]], [1, 2, 0, 'later', [2]])
    assert.equal(peer.sent.length, 0)
    await settled()
    assert.deepEqual(peer.sent, ['[[3,1,1],[3,2,2]]'])
    peer.end()
  })
})

describe('what a call costs', () => {
  async function pair(): Promise<{
    remote: Any
    up: (string | Uint8Array)[]
    down: (string | Uint8Array)[]
    close: () => Promise<unknown>
  }> {
    const [one, two] = transportPair()
    const page = counted(one)
    const server = counted(two)
    const left = new Broker<Root>(page)
    const right = new Broker(server, { root })
    await Promise.all([left.peer, right.peer])
    page.frames.length = server.frames.length = 0
    const remote = left.root as unknown as Any
    const close = (): Promise<unknown> => {
      left.close()
      return right.closed
    }
    return { remote, up: page.frames, down: server.frames, close }
  }

  test('T7: a plain call is one message up and one down', async () => {
    const { remote, up, down, close } = await pair()
    assert.equal(await remote.echo('hi'), 'hi')
    assert.deepEqual([up, down], [['[[1,1,0,"echo",["hi"]]]'], ['[[3,1,"hi"]]']])
    await close()
  })

  test('a call with a callback is one frame up and one down for each way', async () => {
    const { remote, up, down, close } = await pair()
    const twice = (value: unknown): number => (value as number) * 2
    assert.equal(await remote.each(twice), 14)
    assert.deepEqual(up, ['[[17,1,0,"each",[["$f",1]],0]]', '[[3,1,14]]'])
    assert.deepEqual(down, ['[[1,1,1,"",[7]]]', '[[3,1,14]]'])
    await close()
  })

  for (const [calls, frames] of [
    [32, 1],
    [33, 2],
    [400, 2],
  ] as const) {
    test(`${calls} calls of a tick are ${frames} frame(s) up: the first ends after 32 messages`, async () => {
      const { remote, up, close } = await pair()
      await Promise.all([...Array(calls).keys()].map((value) => remote.echo(value)))
      assert.equal(up.length, frames)
      assert.equal((JSON.parse(String(up[0])) as unknown[]).at(-1) === 1, frames > 1)
      await close()
    })
  }

  test('a result that is only pipelined onto costs no round trip of its own', async () => {
    const { remote, up, down, close } = await pair()
    assert.equal(await remote.self().self().self().echo('deep'), 'deep')
    assert.equal(up.length, 1)
    assert.equal(down.length, 1)
    await close()
  })

  test('a tell is one message, and nothing comes back', async () => {
    const { peer, broker } = await start()
    tell(broker.root).echo(1)
    await settled()
    assert.deepEqual(peer.sent, ['[[2,0,"echo",[1]]]'])
    peer.take()
    peer.say([2, 0, 'echo', [1]], [2, 0, 'nothing', []])
    await settled()
    assert.deepEqual(peer.sent, [])
    peer.end()
  })
})
