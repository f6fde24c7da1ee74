import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import {
  ReferenceSet,
  localPair,
  reference,
  release,
  type Broker,
  type BrokerOptions,
  type Remote,
} from 'fastify-perspective/broker'
import { settled, withPair } from './settled.js'

interface Mind {
  note(...values: unknown[]): void
}

/** A server's end of several connections, and what each of their minds was told. */
async function withMinds(
  count: number,
  options: (index: number) => BrokerOptions,
  body: (set: ReferenceSet<Mind>, servers: Broker<Mind>[], told: unknown[][][]) => unknown,
): Promise<void> {
  const told: unknown[][][] = Array.from({ length: count }, () => [])
  const pairs = told.map((list, index) =>
    localPair<object, Mind>(options(index), {
      root: { note: (...values: unknown[]) => void list.push(values) },
    }),
  )
  await turn()
  const servers = pairs.map(([server]) => server)
  const set = new ReferenceSet<Mind>()
  for (const server of servers) set.add(server.root)
  await body(set, servers, told)
  // What they were told may be references.
  for (const list of told) list.length = 0
  await settled(...pairs.flat())
  for (const [server] of pairs) server.close()
  await turn()
  assert.equal(set.size, 0)
}

describe('a ReferenceSet', () => {
  test('tells all of them, plain arguments and others', () =>
    withMinds(
      3,
      () => ({}),
      async (set, _servers, told) => {
        set.tell.note('plain', { n: 1 })
        set.tell.note(new Date(5), new Map([[1, 2]]))
        await turn()
        for (const list of told) {
          assert.deepEqual(list, [
            ['plain', { n: 1 }],
            [new Date(5), new Map([[1, 2]])],
          ])
        }
      },
    ))

  test('tells all but one', () =>
    withMinds(
      3,
      () => ({}),
      async (set, servers, told) => {
        const [first, , third] = servers.map(({ root }) => root)
        assert.ok(first !== undefined && third !== undefined)
        set.tellExcept(first).note('moved', new Date(5))
        // One that is not in it, or no more, is no fault.
        set.delete(third)
        set.tellExcept(third).note('left')
        await turn()
        assert.deepEqual(told, [
          [['left']],
          [['moved', new Date(5)], ['left']],
          [['moved', new Date(5)]],
        ])
        assert.throws(() => set.tellExcept({} as Remote<Mind>), { name: 'TypeError' })
      },
    ))

  test('encodes plain arguments once for all', () => {
    let reads = 0
    const value = {
      get n() {
        reads += 1
        return 1
      },
    }
    return withMinds(
      5,
      () => ({}),
      async (set, _servers, told) => {
        set.tell.note(value)
        await turn()
        // Once to see that it is plain, once to write it.
        assert.equal(reads, 2)
        assert.deepEqual(told[4], [[{ n: 1 }]])
      },
    )
  })

  test('gives every one a reference of its own to a callback', () =>
    withMinds(
      2,
      () => ({}),
      async (set, servers) => {
        set.tell.note(() => 'called')
        await turn()
        assert.deepEqual(
          servers.map(({ stats }) => stats.exported),
          [1, 1],
        )
      },
    ))

  test('holds each once, and knows which', () =>
    withMinds(
      2,
      () => ({}),
      (set, [one, two]) => {
        set.add(one!.root).add(one!.root)
        assert.equal(set.size, 2)
        assert.equal(set.has(one!.root), true)
        assert.equal(set.delete(one!.root), true)
        assert.equal(set.delete(one!.root), false)
        assert.equal(set.has(one!.root), false)
        assert.deepEqual([...set], [two!.root])
      },
    ))

  test('is left by those whose connection ends', () =>
    withMinds(
      3,
      () => ({}),
      async (set, servers, told) => {
        servers[1]!.close()
        await turn()
        assert.equal(set.size, 2)
        set.tell.note('on')
        await turn()
        assert.deepEqual(
          told.map((list) => list.length),
          [1, 0, 1],
        )
      },
    ))

  test('drops a released reference when something is told', () => {
    interface Api {
      join(mind: object): void
    }
    const set = new ReferenceSet<Mind>()
    return withPair<Api>(
      { root: { join: (mind: Remote<Mind>) => (set.add(mind), undefined) } },
      {},
      async ({ root }) => {
        await root.join(reference<Mind>({ note: () => undefined }))
        assert.equal(set.size, 1)
        for (const ref of set) release(ref)
        set.tell.note('gone')
        assert.equal(set.size, 0)
      },
    )
  })

  test('may be changed while it is iterated and while it tells', () =>
    withMinds(
      3,
      () => ({}),
      async (set, _servers, told) => {
        for (const ref of set) {
          set.delete(ref)
          set.add(ref)
        }
        assert.equal(set.size, 3)
        const [first] = set
        set.tell.note({
          get late() {
            set.delete(first!)
            return new Date(1)
          },
        })
        await turn()
        assert.equal(told.flat().length >= 2, true)
        assert.equal(set.size, 2)
      },
    ))

  test('one over its limit is passed over and reported; the others are told', () => {
    const logged: unknown[] = []
    const options = (index: number): BrokerOptions =>
      index === 1
        ? {
            limits: { maxFrameBytes: 200, maxReferences: 1 },
            onCallError: (error) => logged.push((error as { code: string }).code),
          }
        : {}
    return withMinds(3, options, async (set, _servers, told) => {
      set.tell.note('x'.repeat(500))
      set.tell.note(
        () => 1,
        () => 2,
      )
      set.tell.note('short')
      await turn()
      assert.deepEqual(
        told.map((list) => list.length),
        [3, 1, 3],
      )
      assert.deepEqual(logged, ['PB_ERR_LIMIT_FRAME', 'PB_ERR_LIMIT_REFERENCES'])
    })
  })

  test('an argument that cannot cross is an error of the one who tells', () =>
    withMinds(
      2,
      () => ({}),
      async (set, _servers, told) => {
        assert.throws(() => set.tell.note({ bad: Symbol('no') }), {
          code: 'PB_ERR_CALL_UNSENDABLE',
          message: /^args\[0\]\.bad: /,
        })
        await turn()
        assert.deepEqual(told, [[], []])
      },
    ))

  test('takes references only', () => {
    const set = new ReferenceSet<Mind>()
    assert.throws(() => set.add({} as never), TypeError)
    assert.throws(() => set.has(null as never), TypeError)
    assert.equal((set.tell as { then?: unknown }).then, undefined)
  })
})
