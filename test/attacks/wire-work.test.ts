// Small frames that ask for much work: counted by copies and errors made, never by the clock.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Broker, reference } from 'fastify-perspective/broker'
import { ScriptedPeer, settled } from '../support/scripted-peer.js'

interface Victim {
  readonly peer: ScriptedPeer
  readonly broker: Broker
  readonly failures: unknown[]
}

async function victim(): Promise<Victim> {
  const peer = new ScriptedPeer()
  const failures: unknown[] = []
  const root = reference({
    keep: (mirror: { readonly state: readonly number[] }) => mirror.state.length,
    later: () => settled(),
    count: (...args: unknown[]) => args.length,
  } as never)
  const broker = new Broker(peer, {
    root,
    // What the plugin allows a page.
    limits: { maxCallsPerSecond: 10_000 },
    onCallError: (error) => void failures.push(error),
  })
  peer.say([0, 1])
  await settled()
  peer.sent.length = 0
  return { peer, broker, failures }
}

const repeat = (text: string, times: number): string =>
  Array.from({ length: times }, () => text).join()
const LIST = `["$c",1,[${repeat('0', 200_000)}]]`
const CHANGE = '[14,1,[1,[[5,[0,1]]],[]]]'

describe('work that a page cannot ask for', () => {
  test('a thousand changes of a list of 200,000 in one frame are a breach after some copies', async () => {
    const { peer, broker } = await victim()
    peer.sayRaw(`[[17,1,0,"keep",[${LIST}],0],${repeat(CHANGE, 1000)}]`)
    const { code, reason } = await broker.closed
    assert.equal(code, 4400)
    assert.match(reason, /many changes of large states/)
  })

  test('so are they one in each frame, of a mirror that was refused, or inside one change', async () => {
    for (const frames of [
      [`[[17,1,0,"keep",[${LIST}],0]]`, ...Array.from({ length: 1000 }, () => `[${CHANGE}]`)],
      [`[[17,1,0,"none",[${LIST}],0],${repeat(CHANGE, 1000)}]`],
      [
        `[[17,1,0,"keep",[["$c",1,[[${repeat('0', 200_000)}]]]],0]]`,
        `[[14,1,[1,[${repeat('[0,[1,[[5,[0,1]]],[]]]', 1000)}],[]]]]`,
      ],
      [
        `[[17,1,0,"keep",[["$c",1,{${Array.from({ length: 50_000 }, (_, index) => `"${String(index)}k":0`).join()}}]],0]]`,
        `[${repeat('[14,1,[1,[["5k",[0,1]]],[]]]', 1000)}]`,
      ],
    ]) {
      const { peer, broker } = await victim()
      for (const frame of frames) peer.sayRaw(frame)
      assert.equal((await broker.closed).code, 4400)
    }
  })

  test('as many changes of a small state, and some of a large one, are taken', async () => {
    const { peer } = await victim()
    peer.sayRaw(`[[17,1,0,"keep",[["$c",1,[0,0,0,0,0,0]]],0],${repeat(CHANGE, 20_000)}]`)
    peer.sayRaw(
      `[[17,2,0,"keep",[${LIST.replace('"$c",1', '"$c",2')}],0],${repeat(CHANGE.replace('14,1', '14,2'), 3)}]`,
    )
    assert.equal(peer.closed, null)
    peer.end()
  })

  test('calls and tells beyond the limit of a second are refused with one error, made once', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1e12 })
    const { peer, failures } = await victim()
    const tells = repeat('[2,0,"none",[]]', 12_000)
    peer.sayRaw(`[${tells}]`)
    const beyond = failures.slice(10_000)
    assert.equal(beyond.length, 2000)
    assert.equal(new Set(beyond).size, 1)
    assert.equal((beyond[0] as { code: string }).code, 'PB_ERR_LIMIT_CALL_RATE')
    assert.equal(peer.closed, null)
    peer.end()
  })

  test('a call may wait for one result many thousand times over', async () => {
    const { peer } = await victim()
    peer.sayRaw(`[[1,1,0,"later",[]],[17,2,0,"count",[${repeat('["$p",1]', 20_000)}],0]]`)
    while (peer.sent.length < 2) await settled()
    assert.deepEqual(peer.take(), [
      [3, 1],
      [3, 2, 20_000],
    ])
    peer.end()
  })

  test('errors and aborted signals cost no walk of the stack', async () => {
    const { peer } = await victim()
    let walks = 0
    const before: unknown = Reflect.get(Error, 'prepareStackTrace')
    Error.prepareStackTrace = (_error, sites) => {
      walks += sites.length
      return ''
    }
    try {
      peer.sayRaw(`[[17,1,0,"count",[${repeat('["$e","TypeError","m",[]]', 1000)}],0]]`)
    } finally {
      if (before === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
      else Reflect.set(Error, 'prepareStackTrace', before)
    }
    assert.equal(walks, 0)
    peer.sayRaw(`[[17,2,0,"count",[${repeat('["$a",0,1]', 1000)}],0]]`)
    assert.deepEqual(
      peer.take().map((message) => message[2]),
      [1000, 1000],
    )
    assert.ok(Error.stackTraceLimit > 0)
    peer.end()
  })

  test('a hello with a megabyte to keep is a breach; one of a few kB is taken, and more is not sent', async () => {
    for (const [size, isTaken] of [
      [8000, true],
      [200_000, false],
    ] as const) {
      const peer = new ScriptedPeer()
      const broker = new Broker(peer, {})
      peer.sayRaw(`[[0,0,[${repeat('{}', size / 3)}]]]`)
      await settled()
      assert.equal(peer.closed === null, isTaken, String(size))
      broker.close()
    }
    const info = 'x'.repeat(8190)
    new Broker(new ScriptedPeer(), { info }).close()
    assert.throws(() => new Broker(new ScriptedPeer(), { info: `${info}x` }), {
      name: 'TypeError',
      message: /info: expected 8192 characters/,
    })
  })
})
