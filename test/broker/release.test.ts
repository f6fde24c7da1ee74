// References that are given back: at once, by the collector, or with the connection.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Broker,
  Referenceable,
  localPair,
  reference,
  release,
  tell,
} from 'fastify-perspective/broker'
import { Heard, Script, code, inChild, raw, settled, slowPair, tick } from './both-ends.js'

class Thing extends Referenceable {
  static readonly remote = { ping: true, later: true } as const
  ping(): string {
    return 'pong'
  }
  async later(): Promise<string> {
    await sleep(100)
    return 'late'
  }
}
function giver(): { give(): Thing; take(...values: unknown[]): unknown; later(): Promise<number> } {
  const thing = new Thing()
  return {
    give: () => thing,
    take: (...values: unknown[]) => values.at(-1),
    later: async () => sleep(100, 5),
  }
}
type Giver = ReturnType<typeof giver>

describe('release', () => {
  test('P43 P48 is idempotent; later calls reject at once, without the peer', async () => {
    const [left, right] = localPair<object, Giver>({}, { root: giver() })
    for (const end of [release, (ref: Disposable) => ref[Symbol.dispose]()]) {
      const ref = await left.root.give()
      end(ref)
      end(ref)
      release(ref)
      await assert.rejects(
        ref.ping(),
        code('PB_ERR_REF_DEAD', /RemoteReference\(\d+\) is dead: it was released/),
      )
      await assert.rejects(left.root.take(ref), code('PB_ERR_REF_DEAD', /cannot be sent/))
      await assert.rejects(
        left.root.take(() => 1, [ref]),
        code('PB_ERR_REF_DEAD'),
      )
      await settled(left, right)
    }
    const next = await left.root.give()
    assert.equal(await next.ping(), 'pong')
    release(next)
    await settled(left, right)
  })

  test('P46 P47 calls and tells that were made before are served, in the same tick', async () => {
    const done: string[] = []
    const thing = reference({ note: (text: string) => void done.push(text) })
    const [left, right] = localPair<object, { give(): unknown; take(value: unknown): string }>(
      {},
      { root: { give: () => thing, take: (value: unknown) => typeof value } },
    )
    const ref = (await left.root.give()) as Disposable
    const call = raw(ref, 'note')('call')
    void raw(tell(ref as never), 'note')('tell')
    const sent = left.root.take(ref)
    ref[Symbol.dispose]()
    await call
    assert.equal(await sent, 'object')
    assert.deepEqual(done, ['call', 'tell'])
    await settled(left, right)
  })

  test('P46 a call whose argument is still to come keeps its target, though that is given back meanwhile', async () => {
    const [left, right] = localPair<object, Giver>({}, { root: giver() })
    const first = await left.root.give()
    const value = left.root.later()
    // `ping` takes no arguments: it is refused for its argument, not for its target.
    const call = raw(first, 'ping')(value)
    release(first)
    await assert.rejects(call, code('PB_ERR_CALL_ARGUMENTS'))
    await settled(left, right)
  })

  test('P56 the answer to a call on a reference that was given back still comes', async () => {
    const [left, right] = localPair<object, Giver>({}, { root: giver() })
    const ref = await left.root.give()
    const call = ref.later()
    release(ref)
    assert.equal(await call, 'late')
    await settled(left, right)
  })

  test('a release that crosses a re-send leaves the object alive', async () => {
    const [a, b] = slowPair(0)
    const root = giver()
    const left = new Broker<Giver>(a)
    const right = new Broker(b, { root })
    const turn = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        await tick()
        a.deliver()
        b.deliver()
      }
      await tick()
    }
    const first = left.root.give()
    await turn()
    const ref = await first
    const second = left.root.give()
    await tick()
    b.deliver()
    await tick()
    // The answer is on its way, the release leaves before it comes.
    release(ref)
    await tick()
    a.deliver()
    const again = await second
    assert.notEqual(again, ref)
    b.deliver()
    assert.equal(right.stats.exported, 1)
    const ping = again.ping()
    await turn()
    assert.equal(await ping, 'pong')
    await assert.rejects(ref.ping(), code('PB_ERR_REF_DEAD'))
    release(again)
    await turn()
    await settled(left, right)
  })

  test('says the whole count, once', async () => {
    const script = new Script()
    const broker = new Broker<Giver>(script)
    script.say([0, 1])
    const calls = [broker.root.give(), broker.root.give()]
    await script.heard()
    script.say([19, 1, ['$r', 7], 0], [19, 2, ['$r', 7], 0])
    const [one, two] = await Promise.all(calls)
    assert.equal(one, two)
    release(one!)
    release(two!)
    assert.deepEqual(await script.heard(), [[5, 7, 2]])
    await settled(broker)
    script.end()
  })

  test('P51 the root is not released: nothing is said, and it stays callable', async () => {
    const [left, right] = localPair<object, Giver>({}, { root: giver() })
    release(left.root)
    left.root[Symbol.dispose]()
    assert.equal(await left.root.take(1), 1)
    release({} as never)
    await settled(left, right)
  })

  test('P50 P57 T30 with the connection every reference dies and every table is empty', async () => {
    const heard = new Heard()
    const [left, right] = localPair<object, Giver>({}, { root: giver(), onCallError: heard.listen })
    const ref = await left.root.give()
    await left.root.take(() => 1, new Thing())
    const waiting = [ref.later(), left.root.later()]
    await tick()
    right.close(4001, 'enough')
    for (const call of waiting)
      await assert.rejects(call, code('PB_ERR_CONNECTION_LOST', /4001 enough/))
    await assert.rejects(ref.ping(), code('PB_ERR_REF_DEAD', /its connection has ended/))
    await assert.rejects(left.root.give(), code('PB_ERR_REF_DEAD'))
    release(ref)
    await sleep(150)
    await settled(left, right)
    assert.deepEqual(heard.errors, [])
  })

  test('P53 a hundred scenarios leave nothing: callbacks, results, failures', async () => {
    const [left, right] = localPair<Giver, Giver>({ root: giver() }, { root: giver() })
    const got: Disposable[] = []
    for (let index = 0; index < 100; index++) {
      got.push(await left.root.give(), await right.root.give())
      await assert.rejects(left.root.take(new Thing(), Symbol('x')))
      await assert.rejects(raw(right.root, 'nothing')())
    }
    assert.equal(new Set(got).size, 2)
    for (const ref of got) ref[Symbol.dispose]()
    await settled(left, right)
  })
})

describe('the collector', () => {
  // Each in a process of its own: it needs `--expose-gc`, and its heap for itself.
  const start = `
    import { localPair, reference, release, tell } from 'fastify-perspective/broker'
    import { setTimeout as sleep } from 'node:timers/promises'
    const thing = reference({ ping: () => 'pong', later: () => sleep(50, 'late') })
    const got = []
    const kept = []
    const [left, right] = localPair({}, { root: {
      give: () => thing,
      take: (value) => void value,
      keep: (value) => void kept.push(value),
    } })
    let held = null
    // What a function held is gone with it; what a module awaits is not.
    const scope = async (run) => { await run() }
    const collect = async () => {
      for (let turn = 0; turn < 30; turn++) { globalThis.gc(); await sleep(5) }
    }
    const say = () => console.log(JSON.stringify([left.stats.imported, right.stats.exported, left.stats.exported, right.stats.imported]))
  `
  const run = (script: string): unknown[] =>
    inChild(start + script, '--expose-gc')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)

  test('T12 gives back what nobody holds, on both sides', () => {
    const lines = run(`
      await (async () => { await left.root.give(); await left.root.take(() => 1); await left.root.take(reference({})) })()
      say()
      await collect()
      say()`)
    assert.deepEqual(lines, [
      [1, 1, 2, 2],
      [0, 0, 0, 0],
    ])
  })

  test('leaves what is held: by itself, by a method taken from it, by what tells it', () => {
    const lines = run(`
      await scope(async () => { held = await left.root.give() })
      await collect(); say()
      await scope(async () => { const { ping } = held; held = ping })
      await collect(); say()
      await scope(async () => console.log(JSON.stringify(await held())))
      await scope(async () => { held = tell(await left.root.give()) })
      await collect(); say()
      await scope(async () => held.ping())`)
    assert.deepEqual(lines, [[1, 1, 0, 0], [1, 1, 0, 0], 'pong', [1, 1, 0, 0]])
  })

  test('P56 a call that waits keeps its reference, and nothing longer', () => {
    const lines = run(`
      await scope(async () => { held = (await left.root.give()).later() })
      globalThis.gc(); await sleep(5); globalThis.gc()
      say()
      await scope(async () => console.log(JSON.stringify(await held)))
      await collect(); say()
      await held`)
    assert.deepEqual(lines, [[1, 1, 0, 0], 'late', [0, 0, 0, 0]])
  })

  test('an object that came again between collection and its notice stays', () => {
    const lines = run(`
      for (let round = 0; round < 20; round++) {
        await scope(async () => { await left.root.give() })
        globalThis.gc()
        await scope(async () => {
          const again = await left.root.give()
          await sleep(1)
          if (await again.ping() !== 'pong') throw new Error('lost')
        })
      }
      await collect(); say()`)
    assert.deepEqual(lines, [[0, 0, 0, 0]])
  })
})
