// Calls and answers, both ways: what arrives, in which order, and what a call that cannot be made leaves behind (nothing).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Broker, UnsendableError, localPair, reference } from 'fastify-perspective/broker'
import { Heard, code, raw, settled, slowPair, tick } from './both-ends.js'

interface Room {
  add(a: number, b: number): number
  later(text: string): Promise<string>
  echo(value: unknown): unknown
}
const room = {
  add: (a: number, b: number) => a + b,
  later: async (text: string) => {
    await sleep(5)
    return `${text}!`
  },
  echo: (value: unknown) => value,
}

describe('calls and answers', () => {
  test('T7 T11 P15 go both ways, sync and async, and an answer waits for the method', async () => {
    const [left, right] = localPair<Room, Room>({ root: room }, { root: room })
    for (const side of [left, right]) {
      assert.equal(await side.root.add(1, 2), 3)
      assert.equal(await side.root.later('hello'), 'hello!')
    }
    await settled(left, right)
  })

  test('T7 one request and one answer are all that crosses', async () => {
    const [a, b] = slowPair(1)
    const left = new Broker<Room>(a)
    const right = new Broker(b, { root: room })
    await left.peer
    a.sent.length = b.sent.length = 0
    assert.equal(await left.root.add(1, 2), 3)
    assert.deepEqual(a.sent, ['[[1,1,0,"add",[1,2]]]'])
    assert.deepEqual(b.sent, ['[[3,1,3]]'])
    await settled(left, right)
  })

  test('T3 T9 P12 arguments and results arrive as they are, undefined and missing ones too', async () => {
    const seen: unknown[][] = []
    const root = { take: (...args: unknown[]) => void seen.push(args), give: (): unknown => answer }
    const answer = { number: 7, nested: { list: [1, [2]], none: undefined }, date: new Date(0) }
    const [left, right] = localPair<object, typeof root>({}, { root })
    await left.root.take()
    await left.root.take(1, undefined, null, [2, { named: 'x' }])
    await left.root.take('$not a tag', ['$r', 1])
    assert.deepEqual(seen, [
      [],
      [1, undefined, null, [2, { named: 'x' }]],
      ['$not a tag', ['$r', 1]],
    ])
    assert.deepEqual(await left.root.give(), answer)
    assert.equal(await raw(left.root, 'take')(1), undefined)
    await settled(left, right)
  })

  test('P18 start in the order made, and answers come in the order of completion', async () => {
    const started: number[] = []
    const done: number[] = []
    const root = {
      wait: async (n: number, ms: number) => {
        started.push(n)
        await sleep(ms)
        return n
      },
      now: (n: number) => {
        started.push(n)
        return n
      },
    }
    const [left, right] = localPair<object, typeof root>({}, { root })
    const note = (n: number): void => void done.push(n)
    await Promise.all([
      left.root.wait(1, 40).then(note),
      left.root.wait(2, 10).then(note),
      left.root.now(3).then(note),
    ])
    assert.deepEqual(started, [1, 2, 3])
    assert.deepEqual(done, [3, 2, 1])
    await settled(left, right)
  })

  test('P20 a call is a native promise: then, catch, finally, await', async () => {
    const [left, right] = localPair<object, Room>({}, { root: room })
    const call = left.root.add(1, 1)
    assert.ok(call instanceof Promise)
    assert.equal(call.constructor, Promise)
    let isOver = false
    const last = call.finally(() => (isOver = true))
    assert.equal(await last.then((sum) => sum + 1), 3)
    assert.equal(isOver, true)
    const failed = raw(left.root, 'nothing')()
    assert.equal(await failed.catch(() => 'caught'), 'caught')
    await settled(left, right)
  })

  test('a method may call back before it answers, many deep', async () => {
    interface Down {
      down(n: number): Promise<number>
    }
    const ends: Broker<Down>[] = []
    const down = (other: () => Broker<Down>): Down => ({
      down: async (n) => (n === 0 ? 0 : 1 + (await other().root.down(n - 1))),
    })
    const [left, right] = localPair<Down, Down>(
      { root: down(() => ends[0]!) },
      { root: down(() => ends[1]!) },
    )
    ends.push(left, right)
    assert.equal(await left.root.down(20), 20)
    await settled(left, right)
  })
})

describe('values that cannot cross', () => {
  class Socket {}
  const cases: [name: string, value: unknown, message: RegExp][] = [
    ['an instance of a class', new Socket(), /args\[0\]: an instance of Socket cannot cross/],
    [
      'one deep inside',
      { a: [1, { b: new Socket() }] },
      /args\[0\]\.a\[1\]\.b: an instance of Socket/,
    ],
    ['one in a Map', new Map([['k', new Socket()]]), /args\[0\]\.values\(\)\[0\]: an instance/],
    ['one in a Set', new Set([1, new Socket()]), /args\[0\]\[1\]: an instance/],
    ['a symbol', { s: Symbol('x') }, /args\[0\]\.s: a symbol/],
    ['a promise', Promise.resolve(1), /args\[0\]: a promise \(await it first\)/],
    ['a RegExp', /x/, /args\[0\]: an instance of RegExp/],
    ['a WeakMap', new WeakMap(), /args\[0\]: an instance of WeakMap/],
    ['a function called then', { then: () => 1 }, /args\[0\].*then/],
    [
      'what throws when it is shown',
      new (class Evil {
        toString(): string {
          throw new Error('no')
        }
      })(),
      /an instance of Evil/,
    ],
  ]
  for (const [name, value, message] of cases) {
    test(`O6 P9 P21 ${name} is refused with the path, nothing is sent and nothing is kept`, async () => {
      const calls: unknown[] = []
      const root = { take: (...args: unknown[]) => void calls.push(args) }
      const [left, right] = localPair<object, typeof root>({}, { root })
      await assert.rejects(left.root.take(value), (error) => {
        assert.ok(error instanceof UnsendableError)
        return code('PB_ERR_CALL_UNSENDABLE', message)(error)
      })
      // References that were met on the way are taken back.
      await assert.rejects(left.root.take([() => 1, reference({ x: () => 1 }), value]))
      await assert.rejects(left.root.take(() => 1, new Map([[reference({}), value]])))
      await settled(left, right)
      assert.deepEqual(calls, [])
    })

    test(`O6 P22 P52 ${name} as a result rejects the caller, and the log has the path`, async () => {
      const heard = new Heard()
      const root = {
        give: (): unknown => [() => 1, value],
        giveLater: async () => ({ x: [() => 1, value] }),
      }
      if (value instanceof Promise) root.give = (): unknown => [() => 1, { value }]
      const [left, right] = localPair<object, typeof root>({}, { root, onCallError: heard.listen })
      await assert.rejects(left.root.give(), code('PB_ERR_CALL_FAILED', /^give failed/))
      await assert.rejects(left.root.giveLater(), code('PB_ERR_CALL_FAILED'))
      assert.equal(heard.errors.length, 2)
      assert.match((heard.errors[0] as Error).message, /^result\[1\]/)
      assert.match((heard.errors[1] as Error).message, /^result\.x\[1\]/)
      await settled(left, right)
    })
  }

  test('T25 O5 P10 a cycle and an oversize value reject once, as a promise, and the connection stays', async () => {
    const [left, right] = localPair<object, Room>(
      {},
      { root: room, limits: { maxFrameBytes: 65_536 } },
    )
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    await assert.rejects(left.root.echo(cycle), code('PB_ERR_LIMIT_VALUE', /args\[0\]\.self/))
    const long = 'x'.repeat(2_000_000)
    await assert.rejects(left.root.echo([() => 1, long]), code('PB_ERR_LIMIT_FRAME'))
    const huge = {
      text: (n: number) => 'y'.repeat(n),
      textLater: async (n: number) => 'y'.repeat(n),
    }
    const [page, server] = localPair<object, typeof huge>(
      {},
      { root: huge, limits: { maxFrameBytes: 65_536 } },
    )
    await assert.rejects(page.root.text(100_000), code('PB_ERR_LIMIT_FRAME'))
    await assert.rejects(page.root.textLater(100_000), code('PB_ERR_LIMIT_FRAME'))
    assert.equal((await page.root.text(10)).length, 10)
    assert.equal(await left.root.echo('here'), 'here')
    await settled(left, right, page, server)
  })

  test('a promise of a call inside data is a promise like any other', async () => {
    const [left, right] = localPair<object, Room>({}, { root: room })
    const call = left.root.add(1, 2)
    await assert.rejects(
      left.root.echo({ deep: [call] }),
      code('PB_ERR_CALL_UNSENDABLE', /deep\[0\]: a promise/),
    )
    await settled(left, right)
  })

  test('a plain promise as an argument is refused also beside the promise of an earlier call', async () => {
    const [left, right] = localPair<object, { two(...args: unknown[]): number }>(
      {},
      { root: { two: (...args: unknown[]) => args.length } },
    )
    const earlier = left.root.two()
    await tick()
    await assert.rejects(
      left.root.two(earlier, Promise.resolve(1)),
      code('PB_ERR_CALL_UNSENDABLE', /args\[1\]/),
    )
    await settled(left, right)
  })
})
