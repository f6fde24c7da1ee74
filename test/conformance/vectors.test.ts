// docs/conformance.json is what another implementation runs; here it is run against this one.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { runInThisContext } from 'node:vm'
import {
  Broker,
  type CloseReason,
  Referenceable,
  type RemoteMethods,
  type StandardSchemaV1,
  type Transport,
} from 'fastify-perspective/broker'

interface Vectors {
  readonly values: readonly { name: string; js: string; args: unknown[]; bytes?: string }[]
  readonly breaches: readonly { name: string; frame: string }[]
  readonly refusals: readonly { name: string; frame: string; code: string }[]
}
const file = new URL('../../docs/conformance.json', import.meta.url)
const vectors = JSON.parse(await readFile(file, 'utf8')) as Vectors

interface Echo {
  echo(value: unknown): unknown
}
const anything: StandardSchemaV1 = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
}
class EchoRoot extends Referenceable implements Echo {
  static readonly remote: RemoteMethods<Echo> = { echo: [anything] }
  received: unknown[] = []
  echo(value: unknown): unknown {
    this.received.push(value)
    return value
  }
}

/** A peer that is a script. */
class Script implements Transport {
  readonly sent: (string | Uint8Array)[] = []
  #closed: CloseReason | null = null
  #onFrame: (frame: string | Uint8Array) => void = () => undefined
  #onClose: (reason: CloseReason) => void = () => undefined
  send(frame: string | Uint8Array): void {
    this.sent.push(frame)
  }
  close(code: number, reason: string): void {
    this.#closed = { code, reason, byPeer: false }
  }
  onFrame(listener: (frame: string | Uint8Array) => void): void {
    this.#onFrame = listener
  }
  onClose(listener: (reason: CloseReason) => void): void {
    this.#onClose = listener
  }
  closeCode(): number | null {
    return this.#closed?.code ?? null
  }
  say(frame: string | Uint8Array): void {
    this.#onFrame(frame)
  }
  end(): void {
    this.#onClose({ code: 1000, reason: '', byPeer: true })
  }
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function start(): Promise<{ script: Script; broker: Broker<Echo>; root: EchoRoot }> {
  const script = new Script()
  const root = new EchoRoot()
  const broker = new Broker<Echo>(script, { root })
  await tick()
  script.sent.length = 0
  return { script, broker, root }
}

/** A frame as its messages, and its bytes in hexadecimal. */
function read(frame: string | Uint8Array | undefined): { messages: unknown[][]; bytes: string } {
  assert.notEqual(frame, undefined)
  if (typeof frame === 'string') return { messages: JSON.parse(frame) as unknown[][], bytes: '' }
  const buffer = Buffer.from(frame!)
  const length = buffer.readUInt32LE(0)
  return {
    messages: JSON.parse(buffer.subarray(4, 4 + length).toString()) as unknown[][],
    bytes: buffer.subarray(4 + length).toString('hex'),
  }
}

function frameOf(message: unknown[], bytes: string): string | Uint8Array {
  // Not JSON.stringify of an assignment: `__proto__` is a key of its own where it was parsed as one.
  const json = Buffer.from(JSON.stringify([message]))
  if (bytes === '') return json.toString()
  const head = Buffer.alloc(4)
  head.writeUInt32LE(json.length)
  return new Uint8Array(Buffer.concat([head, json, Buffer.from(bytes, 'hex')]))
}

describe('conformance vectors', () => {
  for (const { name, js, args, bytes } of vectors.values) {
    const value: unknown = runInThisContext(js)

    test(`${name}: is said so`, async () => {
      const { script, broker } = await start()
      void broker.root.echo(value)
      await tick()
      const said = read(script.sent[0])
      const kind = bytes === undefined ? 1 : 17
      const end = bytes === undefined ? [] : [bytes.length / 2]
      assert.deepEqual(said.messages, [[kind, 1, 0, 'echo', args, ...end]])
      assert.equal(said.bytes, bytes ?? '')
      script.end()
    })

    const message =
      bytes === undefined ? [1, 1, 0, 'echo', args] : [17, 1, 0, 'echo', args, bytes.length / 2]
    const forms: [form: string, ...frames: (string | Uint8Array)[]][] = [
      ['so', frameOf(message, bytes ?? '')],
    ]
    if (bytes !== undefined) {
      const announcement = JSON.stringify([message, 2])
      forms.push(['so, its bytes announced', announcement, Buffer.from(bytes, 'hex')])
    }
    for (const [form, ...frames] of forms) {
      test(`${name}: is read ${form}`, async () => {
        const { script, root } = await start()
        for (const frame of frames) script.say(frame)
        // Node 20 takes no invalid date for another.
        if (value instanceof Date && Number.isNaN(value.getTime())) {
          assert.equal(Number.isNaN((root.received[0] as Date).getTime()), true)
        } else assert.deepEqual(root.received, [value])
        assert.equal(Object.is(root.received[0], -0), Object.is(value, -0))
        assert.equal(({} as { a?: unknown }).a, undefined)
        script.end()
      })
    }
  }

  for (const { name, frame } of vectors.breaches) {
    test(`${name}: ends the connection`, async () => {
      const { script, broker, root } = await start()
      script.say('[[0,0]]')
      assert.equal(script.closeCode(), null)
      script.say(frame)
      assert.equal(script.closeCode(), 4400)
      assert.equal((await broker.closed).code, 4400)
      // Nothing that comes later is dispatched.
      const calls = root.received.length
      script.say('[[1,9,0,"echo",[1]]]')
      assert.equal(root.received.length, calls)
    })
  }

  for (const { name, frame, code } of vectors.refusals) {
    test(`${name}: is refused, and the connection stays`, async () => {
      const { script } = await start()
      script.say(frame)
      await tick()
      const [message] = read(script.sent[0]).messages
      assert.deepEqual(message?.slice(0, 3), [4, 1, code])
      script.say('[[1,9,0,"echo",["still here"]]]')
      await tick()
      assert.deepEqual(read(script.sent[1]).messages, [[3, 9, 'still here']])
      assert.equal(script.closeCode(), null)
      script.end()
    })
  }
})
