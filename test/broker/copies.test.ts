import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Copyable,
  Referenceable,
  type BrokerOptions,
  type CopyableClass,
  type Remote,
  type RemoteMethods,
  type StandardSchemaV1,
} from 'fastify-perspective/broker'
import { z } from 'zod'
import { assertAlive, assertBreach, withHostile, withPair } from './settled.js'

let constructions = 0

class Point extends Copyable {
  static readonly copyable = { type: 'point', state: z.object({ x: z.number(), y: z.number() }) }
  x: number
  y: number
  constructor(x: number, y: number) {
    super()
    constructions += 1
    this.x = x
    this.y = y
  }
  get length(): number {
    return Math.hypot(this.x, this.y)
  }
}

/** A schema that takes whatever comes. */
const anything: StandardSchemaV1 = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
}

class Loose extends Copyable {
  static readonly copyable = { type: 'loose', state: anything };
  [key: string]: unknown
}

class Account extends Copyable {
  static readonly copyable = { type: 'account', state: z.object({ name: z.string() }) }
  name = 'ada'
  password = 'secret'
  override copyState(caller: object | null): object {
    seenBy.push(caller)
    return { name: this.name }
  }
}
const seenBy: unknown[] = []

const copyables: CopyableClass[] = [Point, Loose, Account]
interface Echo {
  echo(value: unknown): unknown
}
const echo = (value: unknown): unknown => value
const both = { root: { echo }, copyables }

const withEcho = (
  body: (root: Remote<Echo>) => unknown,
  server: BrokerOptions = both,
  client: BrokerOptions = { copyables },
): Promise<void> => withPair<Echo>(server, client, ({ root }) => body(root))

describe('a Copyable', () => {
  test('arrives as its class, equal and another, and no constructor runs (T1, T2)', () =>
    withEcho(async (root) => {
      const point = new Point(3, 4)
      const before = constructions
      const copy = (await root.echo(point)) as Point
      assert.ok(copy instanceof Point)
      assert.notEqual(copy, point)
      assert.deepEqual(copy, point)
      assert.equal(copy.length, 5)
      assert.equal(constructions, before)
    }))

  test('crosses wherever a value can be (P14)', () =>
    withEcho(async (root) => {
      const point = new Point(1, 2)
      const loose = Object.assign(new Loose(), { point, at: new Date(5), none: undefined })
      const value = {
        list: [point, [point]],
        map: new Map<unknown, unknown>([[point, loose]]),
        set: new Set([point]),
        error: Object.assign(new Error('x'), { point }),
        loose,
      }
      assert.deepEqual(await root.echo(value), value)
    }))

  test('carries references in its state', () => {
    class Bell extends Referenceable {
      static readonly remote: RemoteMethods<Bell> = { ring: true }
      ring(): string {
        return 'ding'
      }
    }
    interface Host {
      take(loose: Loose): Promise<string>
    }
    const root = { take: (loose: { bell: Remote<Bell> }) => loose.bell.ring() }
    return withPair<Host>({ root, copyables }, { copyables }, async ({ root }) => {
      assert.equal(await root.take(Object.assign(new Loose(), { bell: new Bell() })), 'ding')
    })
  })

  test('shows what copyState answers, which is told who looks (T21)', () => {
    const root = { echo, account: () => new Account() }
    return withPair<{ account(): Account }>({ ...both, root }, { copyables }, async (pair) => {
      seenBy.length = 0
      const account = await pair.root.account()
      assert.ok(account instanceof Account)
      assert.deepEqual(Object.fromEntries(Object.entries(account)), { name: 'ada' })
      assert.deepEqual(seenBy, [root])
    })
  })

  test('is told null where this side has no root', () =>
    withEcho(async (root) => {
      seenBy.length = 0
      await root.echo(new Account())
      assert.equal(seenBy[0], null)
    }))

  test('whose state the schema of the receiver refuses is an error of that call (T69)', () =>
    withEcho(async (root) => {
      const point = new Point(1, 2)
      Object.assign(point, { x: 'east' })
      await assert.rejects(root.echo(point), { code: 'PB_ERR_CALL_COPY', message: /point/ })
      assert.equal(await root.echo(5), 5)
    }))

  test('of a type that the receiver does not know is an error of that call', () =>
    withEcho(
      async (root) => {
        await assert.rejects(root.echo({ deep: [new Point(1, 2)] }), {
          code: 'PB_ERR_CALL_COPY',
          message: /"point"/,
        })
        assert.equal(await root.echo(5), 5)
      },
      { root: { echo }, copyables: [Loose] },
    ))

  test('is refused at the sender where its broker does not know it: no table is global', () =>
    withEcho(
      async (root) => {
        await assert.rejects(root.echo([new Point(1, 2)]), {
          code: 'PB_ERR_CALL_UNSENDABLE',
          message: /^args\[0\]\[0\]: an instance of Point/,
        })
      },
      both,
      {},
    ))

  test('of a subclass that is not named is refused', () => {
    class Point3 extends Point {
      z = 0
    }
    return withEcho(async (root) => {
      await assert.rejects(root.echo(new Point3(1, 2)), { code: 'PB_ERR_CALL_UNSENDABLE' })
    })
  })

  test('nests as deep as any object does', () => {
    const limits = { maxDepth: 4 }
    const wrap = (levels: number): unknown =>
      levels === 0 ? new Point(1, 2) : { inner: wrap(levels - 1) }
    return withEcho(
      async (root) => {
        assert.deepEqual(await root.echo(wrap(3)), wrap(3))
        await assert.rejects(root.echo(wrap(4)), { code: 'PB_ERR_LIMIT_VALUE' })
      },
      { ...both, limits },
      { copyables, limits },
    )
  })

  test('has whatever keys it has, and pollutes nothing (P31)', () =>
    withEcho(async (root) => {
      const loose = new Loose()
      for (const key of ['__proto__', 'constructor', 'hasOwnProperty']) {
        Object.defineProperty(loose, key, { value: { polluted: 1 }, enumerable: true })
      }
      const copy = (await root.echo(loose)) as object
      assert.ok(copy instanceof Loose)
      assert.equal(Object.getPrototypeOf(copy), Loose.prototype)
      assert.deepEqual(Object.keys(copy), ['__proto__', 'constructor', 'hasOwnProperty'])
      assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    }))

  test('whose schema fails is a failure of our own, not a breach of the peer', () => {
    const logged: unknown[] = []
    class Broken extends Copyable {
      static readonly copyable = {
        type: 'broken',
        state: {
          '~standard': {
            ...anything['~standard'],
            validate: () => {
              throw new Error('a bug in the schema')
            },
          },
        },
      }
    }
    const known = { copyables: [Broken] }
    return withEcho(
      async (root) => {
        await assert.rejects(root.echo(new Broken()), { code: 'PB_ERR_CALL_FAILED' })
        assert.equal(await root.echo(5), 5)
        assert.equal((logged[0] as Error).message, 'a bug in the schema')
      },
      { root: { echo }, ...known, onCallError: (error) => logged.push(error) },
      known,
    )
  })
})

describe('copyables', () => {
  for (const [name, wrong] of [
    ['a class without copyable', class extends Copyable {}],
    ['one without a schema', Object.assign(class extends Copyable {}, { copyable: { type: 'x' } })],
    [
      'one without a type',
      Object.assign(class extends Copyable {}, { copyable: { state: anything } }),
    ],
    ['two of one type', class extends Point {}],
  ] as const) {
    test(`${name} is refused when the broker is made`, async () => {
      const options = { copyables: [Point, wrong as unknown as CopyableClass] }
      await assert.rejects(
        withHostile(options, () => undefined),
        TypeError,
      )
    })
  }
})

describe('a hostile copy', () => {
  for (const [name, tag] of [
    ['without a state', ['$o', 'loose']],
    ['with too much', ['$o', 'loose', {}, 1]],
    ['whose type is no text', ['$o', 5, {}]],
    ['whose state is null', ['$o', 'loose', null]],
    ['whose state is a number', ['$o', 'loose', 5]],
    ['whose state is a list', ['$o', 'loose', []]],
    ['whose state is a date', ['$o', 'loose', ['$d', 5]]],
    ['with a function called then', ['$o', 'loose', { then: ['$f', 1] }]],
  ] as const) {
    test(`${name} is a breach`, () =>
      withHostile(both, async ({ broker, say }) => {
        await say([17, 1, 0, 'echo', [tag], 0])
        await assertBreach(broker, /./)
      }))
  }

  test('of a type that is a name of Object.prototype is unknown', () =>
    withHostile(both, async ({ broker, say, heard }) => {
      await say([17, 1, 0, 'echo', [['$o', 'constructor', {}]], 0])
      await say([17, 2, 0, 'echo', [['$o', '__proto__', {}]], 0])
      assert.deepEqual(
        heard.of(4).map(([, , code]) => code),
        ['PB_ERR_CALL_COPY', 'PB_ERR_CALL_COPY'],
      )
      await assertAlive(broker)
    }))
})
