// A message with many bytes is packed when it is said, before it is known whether its frame continues.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Broker,
  type RemoteMethods,
  Referenceable,
  transportPair,
  unchecked,
} from 'fastify-perspective/broker'

class Shelf extends Referenceable {
  static readonly remote: RemoteMethods<Shelf> = { echo: unchecked }
  echo(value: unknown): unknown {
    return value
  }
}

class Desk extends Shelf {
  static override readonly remote: RemoteMethods<Desk> = { echo: unchecked, shelf: true }
  shelf(): Shelf {
    return new Shelf()
  }
}

async function connect(): Promise<{ client: Broker<Desk>; frames: (string | Uint8Array)[] }> {
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

function jsonOf(frame: string | Uint8Array): unknown {
  assert.ok(typeof frame !== 'string')
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  return JSON.parse(new TextDecoder().decode(frame.subarray(4, 4 + view.getUint32(0, true))))
}

describe('P13: a message with more bytes than a frame aims at', () => {
  test('is a frame of its own that ends the tick', async () => {
    const { client, frames } = await connect()
    const bytes = new Uint8Array(65_536).fill(7)
    assert.deepEqual(await client.root.echo(bytes), bytes)
    assert.deepEqual(jsonOf(frames[0]!), [[17, 1, 0, 'echo', [['$b', 1, 65_536]], 65_536]])
    client.close()
  })

  test('is a frame that continues where more is said in the tick, which can name its results', async () => {
    const { client, frames } = await connect()
    const bytes = new Uint8Array(65_536).fill(7)
    const small = client.root.echo('before')
    const shelf = client.root.shelf()
    const first = client.root.echo(bytes)
    const second = client.root.echo(new Uint8Array(20_000).fill(9))
    const onResult = shelf.echo(new Uint8Array(3))
    // Said already: what is changed now does not cross.
    bytes.fill(0)
    assert.equal(await small, 'before')
    assert.deepEqual(await first, new Uint8Array(65_536).fill(7))
    assert.deepEqual(await second, new Uint8Array(20_000).fill(9))
    assert.deepEqual(await onResult, new Uint8Array(3))
    assert.equal(frames.length, 4)
    assert.match(String(frames[0]), /,1\]$/)
    assert.equal((jsonOf(frames[1]!) as unknown[]).at(-1), 1)
    assert.equal((jsonOf(frames[2]!) as unknown[]).at(-1), 1)
    assert.notEqual((jsonOf(frames[3]!) as unknown[]).at(-1), 1)
    client.close()
  })
})
