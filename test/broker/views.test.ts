import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Referenceable,
  Viewable,
  tell,
  unchecked,
  type Remote,
  type RemoteMethods,
  type Views,
} from 'fastify-perspective/broker'
import { z } from 'zod'
import { until, withPair } from './settled.js'

interface Door extends Referenceable {
  enter(words: string): string
  lock(): string
  self(): Door
}
interface Api {
  door(): Door
  later(): Door
  nested(): { doors: Door[] }
  isIt(door: Door): boolean
}

class DoorView extends Viewable<Avatar> implements Views<Door, Avatar> {
  static readonly remote: RemoteMethods<DoorView> = {
    enter: [z.string()],
    lock: { requires: 'door.lock' },
    self: true,
  }
  readonly entered: [caller: unknown, words: string][] = []
  locks = 0
  enter(caller: Avatar, words: string): string {
    this.entered.push([caller, words])
    return `${caller.name}: ${words}`
  }
  lock(caller: Avatar): string {
    this.locks += 1
    return `locked by ${caller.name}`
  }
  self(): this {
    return this
  }
}

class Avatar extends Referenceable {
  static readonly remote: RemoteMethods<Avatar> = {
    door: true,
    later: true,
    nested: true,
    isIt: unchecked,
  }
  readonly name: string
  readonly #door: DoorView
  constructor(name: string, door: DoorView) {
    super()
    this.name = name
    this.#door = door
  }
  door(): DoorView {
    return this.#door
  }
  async later(): Promise<DoorView> {
    return Promise.resolve(this.#door)
  }
  nested(): { doors: DoorView[] } {
    return { doors: [this.#door] }
  }
  isIt(door: unknown): boolean {
    return door === this.#door
  }
}

describe('a Viewable', () => {
  test("gets the caller's avatar first: of each connection its own (T42)", async () => {
    const door = new DoorView()
    const [ada, bob] = [new Avatar('ada', door), new Avatar('bob', door)]
    await withPair<Api>({ root: ada }, {}, ({ root: asAda }) =>
      withPair<Api>({ root: bob }, {}, async ({ root: asBob }) => {
        assert.equal(await (await asAda.door()).enter('hello'), 'ada: hello')
        assert.equal(await (await asBob.door()).enter('hi'), 'bob: hi')
      }),
    )
    assert.deepEqual(door.entered, [
      [ada, 'hello'],
      [bob, 'hi'],
    ])
  })

  test('cannot be told another caller: what the peer sends are arguments', () => {
    const door = new DoorView()
    return withPair<Api>({ root: new Avatar('ada', door) }, {}, async ({ root }) => {
      const enter = (await root.door()).enter as unknown as (...args: unknown[]) => Promise<unknown>
      await assert.rejects(enter(root, 'x'), { code: 'PB_ERR_CALL_ARGUMENTS' })
      await assert.rejects(enter({ name: 'root' }, 'x'), { code: 'PB_ERR_CALL_ARGUMENTS' })
      await assert.rejects(enter({ name: 'root' }), {
        code: 'PB_ERR_CALL_ARGUMENTS',
        message: /args\[0\]/,
      })
      assert.deepEqual(door.entered, [])
    })
  })

  test('sent home is the very object, not a wrapper (O14, T16)', () =>
    withPair<Api>({ root: new Avatar('ada', new DoorView()) }, {}, async ({ root }) => {
      assert.equal(await root.isIt(await root.door()), true)
      assert.equal(await root.isIt(root.door()), true)
      assert.equal(await root.isIt(await (await root.door()).self()), true)
    }))

  test('sent twice is one reference, also deep in a value (O15)', () =>
    withPair<Api>({ root: new Avatar('ada', new DoorView()) }, {}, async ({ root, server }) => {
      const door = await root.door()
      assert.equal(await root.later(), door)
      assert.equal((await root.nested()).doors[0], door)
      assert.equal(server.stats.exported, 1)
    }))

  test('is called on a promise of it, and through a promise of the method (P18)', () =>
    withPair<Api>({ root: new Avatar('ada', new DoorView()) }, {}, async ({ root, byClient }) => {
      const frames = byClient.frames.length
      assert.deepEqual(
        await Promise.all([
          root.door().enter('a'),
          root.later().enter('b'),
          root.door().self().self().enter('c'),
        ]),
        ['ada: a', 'ada: b', 'ada: c'],
      )
      assert.equal(byClient.frames.length, frames + 1)
    }))

  test('is told without an answer', () => {
    const door = new DoorView()
    return withPair<Api>({ root: new Avatar('ada', door) }, {}, async ({ root }) => {
      tell(await root.door()).enter('hush')
      await until(() => door.entered.length === 1, 'the call')
      assert.equal((door.entered[0]![0] as Avatar).name, 'ada')
    })
  })

  test('is refused where this side has no root: there is no caller', () => {
    const door = new DoorView()
    interface Host {
      take(door: unknown): void
    }
    let code: unknown = null
    const root = {
      async take(remote: Remote<Door>) {
        code = await remote.enter('x').catch((error: unknown) => (error as { code: unknown }).code)
      },
    }
    return withPair<Host>({ root }, {}, async ({ root }) => {
      await root.take(door)
      assert.equal(code, 'PB_ERR_CALL_DENIED')
      assert.deepEqual(door.entered, [])
    })
  })

  test('as the root is its own caller', () => {
    class Mirror extends Viewable<object> {
      static readonly remote: RemoteMethods<Mirror> = { isMe: true }
      isMe(caller: object): boolean {
        return caller === this
      }
    }
    return withPair<{ isMe(): boolean }>({ root: new Mirror() }, {}, async ({ root }) => {
      assert.equal(await root.isMe(), true)
    })
  })
})

describe('requires of a Viewable', () => {
  const cases: [
    string,
    ((requires: readonly string[]) => boolean | Promise<boolean>) | undefined,
  ][] = [
    ['a permission that is missing', () => false],
    ['one that is missing after a look', async () => false],
    ['nobody to ask', undefined],
  ]
  for (const [name, authorize] of cases) {
    test(`${name}: refused, and the method does not run`, () => {
      const door = new DoorView()
      return withPair<Api>({ root: new Avatar('ada', door), authorize }, {}, async ({ root }) => {
        await assert.rejects((await root.door()).lock(), {
          code: 'PB_ERR_CALL_DENIED',
          message: /door\.lock/,
        })
        assert.equal(door.locks, 0)
        assert.equal(await root.door().enter('still'), 'ada: still')
      })
    })
  }

  test('a permission that is there, at once or later', async () => {
    for (const authorize of [() => true, async () => true]) {
      const door = new DoorView()
      await withPair<Api>({ root: new Avatar('ada', door), authorize }, {}, async ({ root }) => {
        assert.equal(await root.door().lock(), 'locked by ada')
      })
    }
  })

  test('an answer that comes after the connection has ended runs nothing', async () => {
    const door = new DoorView()
    let allow: (isAllowed: boolean) => void = () => undefined
    const authorize = (): Promise<boolean> => new Promise((resolve) => (allow = resolve))
    await withPair<Api>(
      { root: new Avatar('ada', door), authorize },
      {},
      async ({ root, server }) => {
        const locked = (await root.door()).lock()
        await until(() => server.stats.running === 1, 'the question')
        server.close(4440, 'kicked')
        await assert.rejects(locked, { code: 'PB_ERR_CONNECTION_LOST' })
        allow(true)
        await until(() => true, '')
      },
    )
    assert.equal(door.locks, 0)
  })

  test('an answer that comes after the caller gave up runs nothing', () => {
    const door = new DoorView()
    let allow: (isAllowed: boolean) => void = () => undefined
    const authorize = (): Promise<boolean> => new Promise((resolve) => (allow = resolve))
    return withPair<Api>(
      { root: new Avatar('ada', door), authorize },
      { callTimeoutMs: 20 },
      async ({ root, server }) => {
        await assert.rejects((await root.door()).lock(), { code: 'PB_ERR_CALL_TIMEOUT' })
        // A round trip: the cancellation has been read by then.
        await root.door()
        allow(true)
        await until(() => server.stats.running === 0, 'the end of the call')
        await until(() => true, '')
        assert.equal(door.locks, 0)
      },
    )
  })
})
