// The beat by itself: checkers of the app's own, Django's sessions, and authorities that throw, hang or talk nonsense.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FastifyBaseLogger } from 'fastify'
import { type Authority, bindingDigest } from 'fastify-perspective'
import { Portal } from '../../../dist/plugin/portal/portal.js'
import { Beat } from '../../../dist/plugin/session/beat.js'
import type { Ending } from '../../../dist/plugin/session/endings.js'
import { type Entry, SessionRegistry } from '../../../dist/plugin/session/sessions.js'

type Revalidate = (ids: readonly string[]) => Promise<ReadonlyMap<string, Authority>>

class Guest implements Entry {
  readonly open = null
  readonly stats = null
  readonly beating = null
  readonly family = ''
  readonly isUpgraded = true
  ending: Ending | null = null
  seen: Authority | null = null
  readonly isProven: boolean
  readonly sessionKey: string | null
  readonly #digests: string[]
  constructor(binding: string | null, sessionKey: string | null = null) {
    this.isProven = binding !== null
    this.#digests = binding === null ? [] : [bindingDigest(binding)]
    this.sessionKey = sessionKey
  }
  isBoundTo(digest: string): boolean {
    return this.#digests.includes(digest)
  }
  rebind(from: string, to: string): void {
    if (this.isBoundTo(from)) this.#digests.push(to)
  }
  refreshed(authority: Authority): void {
    this.seen = authority
  }
  end(ending: Ending): void {
    this.ending ??= ending
  }
  drain(): void {
    throw new Error('nobody drains here')
  }
  over(): Promise<void> {
    return Promise.resolve()
  }
}

function setUp(
  revalidate: Revalidate | null,
  graceSeconds = 300,
  aliveSessions?: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
  revalidateSeconds = 600,
): { registry: SessionRegistry; beat: Beat; logs: string[] } {
  const logs: string[] = []
  const note = (...args: unknown[]): number => logs.push(JSON.stringify(args))
  const log = { info: note, warn: note, error: note } as unknown as FastifyBaseLogger
  const registry = new SessionRegistry(
    { perUser: 100, total: 100, perAddress: 100, atLimit: 'reject' },
    Date.now,
  )
  const checker = {
    name: 'otp',
    types: ['otp'],
    check: () => Promise.resolve(null),
    load: () => Promise.resolve(null),
    ...(revalidate && { revalidate }),
  }
  const portal = new Portal([checker])
  const beat = new Beat({
    registry,
    portal,
    revalidateSeconds,
    graceSeconds,
    log,
    aliveSessions,
  })
  return { registry, beat, logs }
}

const of = (binding: string, isActive = true): Authority => ({
  isActive,
  digest: bindingDigest(binding),
  groups: ['g'],
})

describe('a beat', () => {
  test('asks a checker of the app for each user once, and judges what it answers', async () => {
    const asked: (readonly string[])[] = []
    const { registry, beat } = setUp((ids) => {
      asked.push(ids)
      return Promise.resolve(
        new Map([
          ['a', of('1')],
          ['b:c', of('2')],
          ['off', of('3', false)],
        ]),
      )
    })
    const guests = {
      good: new Guest('1'),
      twin: new Guest('1'),
      changed: new Guest('old'),
      inactive: new Guest('3'),
      gone: new Guest('4'),
      admitting: new Guest(null),
    }
    registry.enter('otp:a', guests.good)
    registry.enter('otp:a', guests.twin)
    registry.enter('otp:b:c', guests.changed)
    registry.enter('otp:off', guests.inactive)
    registry.enter('otp:gone', guests.gone)
    registry.enter('otp:nobody yet', guests.admitting)
    await beat.look()
    assert.deepEqual(asked, [['a', 'b:c', 'off', 'gone']])
    const texts = Object.values(guests).map(({ ending }) => ending?.text ?? null)
    assert.deepEqual(texts, [null, null, 'credentials-changed', 'deactivated', 'deleted', null])
    assert.deepEqual(guests.good.seen?.groups, ['g'])
    assert.equal(guests.changed.seen, null)
  })

  test('of a checker that cannot be asked: its sessions stay', async () => {
    const { registry, beat } = setUp(null, 0)
    const guest = new Guest('1')
    registry.enter('otp:a', guest)
    await beat.look()
    assert.equal(guest.ending, null)
  })

  test('takes an upgraded password for the same, before its write and after (door case 53)', async () => {
    let answer = (_found: Map<string, Authority>): void => undefined
    const { registry, beat } = setUp(() => new Promise((resolve) => (answer = resolve)))
    const rehashed = new Guest('old')
    registry.enter('otp:a', rehashed)
    const look = async (found: string): Promise<void> => {
      const looked = beat.look()
      await new Promise(setImmediate)
      registry.rebind('otp:a', bindingDigest('old'), bindingDigest('new'))
      answer(new Map([['a', of(found)]]))
      await looked
    }
    await look('old')
    await look('new')
    assert.equal(rehashed.ending, null)
    // A session that began while the answer was on its way is not judged by it.
    const looked = beat.look()
    await new Promise(setImmediate)
    const later = new Guest('newer')
    registry.enter('otp:a', later)
    answer(new Map([['a', of('new')]]))
    await looked
    const texts = (): (string | null)[] =>
      [rehashed, later].map(({ ending }) => ending?.text ?? null)
    assert.deepEqual(texts(), [null, null])
    await look('another')
    assert.equal(texts()[0], 'credentials-changed')
  })

  test('ends the sessions of a Django session that is gone, and no other of the user (door case 45)', async () => {
    const asked: (readonly string[])[] = []
    const { registry, beat } = setUp(
      () => Promise.resolve(new Map([['a', of('1')]])),
      300,
      (keys) => {
        asked.push(keys)
        return Promise.resolve(new Set(['alive']))
      },
    )
    const [gone, alive, password] = [
      new Guest('1', 'gone'),
      new Guest('1', 'alive'),
      new Guest('1'),
    ]
    for (const guest of [gone, alive, password]) registry.enter('otp:a', guest)
    await beat.look()
    assert.deepEqual(asked, [['gone', 'alive']])
    assert.deepEqual(
      [gone, alive, password].map(({ ending }) => ending),
      [gone.ending, null, null],
    )
    assert.equal(gone.ending?.code, 4401)
    assert.equal(gone.ending.text, 'session-ended')
    assert.equal(gone.ending.reason.code, 'revoked')
  })

  for (const [what, revalidate] of [
    ['throws', () => Promise.reject(new Error('SELECT hunter2'))],
    ['throws at once', () => assert.fail('at once')],
    ['answers undefined', () => Promise.resolve(undefined)],
    ['answers an object', () => Promise.resolve({})],
    ['answers a list', () => Promise.resolve([['a', 1]])],
    ['answers entries that are none', () => Promise.resolve(new Map([['a', null]]))],
  ] as const) {
    test(`whose authority ${what}: sessions stay until the grace is over, and the next look works`, async () => {
      let isWell = false
      const run: Revalidate = (ids) =>
        isWell ? Promise.resolve(new Map(ids.map((id) => [id, of('1')]))) : (revalidate() as never)
      const { registry, beat, logs } = setUp(run)
      const guest = new Guest('1')
      registry.enter('otp:a', guest)
      await beat.look()
      await beat.look()
      assert.equal(guest.ending, null)
      // What answers nothing cannot be asked.
      if (what !== 'answers undefined') assert.match(logs[0] ?? '', /does not answer/)
      assert.ok(logs.length <= 1, 'said once')
      isWell = true
      await beat.look()
      assert.ok(guest.seen)

      const strict = setUp(run, 0)
      isWell = false
      const doomed = new Guest('1')
      strict.registry.enter('otp:a', doomed)
      await strict.beat.look()
      await new Promise((resolve) => setTimeout(resolve, 150))
      const expected = what === 'answers undefined' ? undefined : 4503
      assert.equal(doomed.ending?.code, expected)
    })
  }

  test('whose authority hangs: missed after 30 s; looks come one after the other', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let asked = 0
    const { registry, beat, logs } = setUp(() => {
      asked += 1
      return new Promise(() => undefined)
    })
    registry.enter('otp:a', new Guest('1'))
    const [first, second] = [beat.look(), beat.look(['otp:a'])]
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    assert.equal(asked, 1)
    t.mock.timers.tick(30_000)
    await first
    assert.match(logs[0] ?? '', /does not answer/)
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    assert.equal(asked, 2)
    t.mock.timers.tick(30_000)
    await second
  })

  test('of one authority that hangs: others are asked in the same look, and in the next, which comes in time', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let asked = 0
    const hang = (): Promise<never> => {
      asked += 1
      return new Promise(() => undefined)
    }
    const { registry, beat, logs } = setUp(hang, 300, () => Promise.resolve(new Set()), 10)
    for (const userId of ['a', 'b']) {
      const guest = new Guest('1', `session of ${userId}`)
      registry.enter(`otp:${userId}`, guest)
      const look = beat.look()
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
      assert.equal(guest.ending?.text, 'session-ended')
      t.mock.timers.tick(10_000)
      await look
    }
    assert.deepEqual([asked, logs], [1, []])
    t.mock.timers.tick(10_000)
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    assert.match(logs[0] ?? '', /does not answer/)
  })

  test('a clock that jumps changes nothing: the grace is counted by one that does not', async (t) => {
    const { registry, beat } = setUp(() => Promise.reject(new Error('away')), 300)
    const guest = new Guest('1')
    registry.enter('otp:a', guest)
    await beat.look()
    t.mock.method(Date, 'now', () => 4_000_000_000_000)
    await beat.look()
    t.mock.method(Date, 'now', () => 0)
    await beat.look()
    await new Promise((resolve) => setTimeout(resolve, 150))
    assert.equal(guest.ending, null)
    assert.ok(beat.authorityAge >= 0 && beat.authorityAge < 60)
  })
})
