// Another implementation, in another language, written from docs/PROTOCOL.md alone, logs in and calls a method.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import perspective, {
  Avatar,
  Referenceable,
  type RemoteFunction,
  type RemoteMethods,
  tell,
  unchecked,
} from 'fastify-perspective'
import { loadDjango, startPostgres } from '../../tools/postgres/start.js'

interface Mind {
  ask(question: string): boolean
  heard(text: string): void
}
class Board extends Referenceable {
  static readonly remote: RemoteMethods<Board> = { rename: unchecked }
  rename(title: string): string {
    return `renamed to ${title}`
  }
}
class TestAvatar extends Avatar<Mind> {
  static readonly remote: RemoteMethods<TestAvatar> = {
    echo: unchecked,
    everything: true,
    decide: unchecked,
    board: true,
    each: unchecked,
    count: true,
  }
  override attached(): void {
    tell(this.mind).heard('welcome')
  }
  echo(value: unknown): unknown {
    return value
  }
  everything(): unknown {
    return [
      undefined,
      new Date(0),
      2n ** 64n,
      new Map([['a', new Set([1])]]),
      new Uint8Array([1, 2]),
      ['$u'],
      new TypeError('no'),
    ]
  }
  async decide(question: string): Promise<boolean> {
    return this.mind.ask(question)
  }
  board(): Board {
    return new Board()
  }
  async each(callback: RemoteFunction<(value: unknown) => number>): Promise<number> {
    await callback('one')
    return callback({ two: 2 })
  }
  async *count(): AsyncGenerator<number> {
    for (let index = 0; index < 3; index++) yield await Promise.resolve(index)
  }
}

const hasPython = spawnSync('python3', ['--version']).status === 0
const skip = hasPython ? false : 'no python3: install Python 3.8 or later'

describe('a client in Python', { skip }, () => {
  test('logs in and speaks the protocol, by the document alone', async (t) => {
    const postgres = await startPostgres()
    t.after(() => postgres.stop())
    await loadDjango(postgres.url)
    const app = Fastify()
    t.after(() => app.close())
    await app.register(perspective, {
      prefix: '/perspective',
      database: postgres.url,
      ticket: { secret: 'a secret for this test, which is long enough' },
      allowedOrigins: [],
      realm: (session) => new TestAvatar(session),
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const script = fileURLToPath(new URL('reader.py', import.meta.url))
    const args = [script, '127.0.0.1', String(port), '/perspective', 'fast1', 'fast password 1']
    const { stdout } = await promisify(execFile)('python3', args, { timeout: 60_000 })
    const seen: unknown = Object.assign(
      {},
      ...stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    )
    assert.deepEqual(seen, {
      login: [200, 'fast1'],
      hello: 'fast1',
      echo: ['value', { text: 'café', list: [1, null] }],
      everything: [
        'value',
        [
          null,
          ['date', 0],
          2 ** 64,
          ['map', [['a', ['set', [1]]]]],
          '0102',
          ['$u'],
          ['error', 'TypeError', 'no', []],
        ],
      ],
      'many bytes': true,
      decide: ['value', true],
      pipelined: ['value', 'renamed to mine'],
      each: [
        ['value', 2],
        ['one', { two: 2 }],
      ],
      stream: [0, 1, 2],
      refused: ['error', 'PB_ERR_CALL_UNKNOWN_METHOD'],
      heard: ['welcome'],
    })
  })
})
