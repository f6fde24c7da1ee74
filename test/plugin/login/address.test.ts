// What limits count an address by, with and without a proxy in front.
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { hashPool } from '../../../dist/plugin/django/hash-pool.js'
import { addressKeys } from '../../../dist/plugin/login/address.js'
import { startDjango } from '../django/start-django.js'
import { renew } from '../renewals.js'
import {
  type AppSetup,
  type TestApp,
  WIDE,
  optionsFor,
  postLogin,
  startApp,
  until,
  upgrade,
} from '../start-app.js'

const { pool } = await startDjango()

async function start(rateLimits: object, fastify: AppSetup['fastify'] = {}): Promise<TestApp> {
  const options = optionsFor(pool, { rateLimits: { ...WIDE, ...rateLimits } })
  return startApp(options, { fastify })
}

const keysOf = (ip: string, remoteAddress = '192.0.2.1') =>
  addressKeys({ ip, socket: { remoteAddress } } as never)

describe('the keys of an address (door case 35)', () => {
  test('IPv4 as it is; IPv6 its /64 and its /48, in one spelling; ports, brackets and zones are no part of it', () => {
    const site = { own: '2001:db8:0:1::/64', site: '2001:db8:0::/48' }
    for (const [ip, expected] of [
      ['10.0.0.1', { own: '10.0.0.1', site: null }],
      ['10.0.0.1:4711', { own: '10.0.0.1', site: null }],
      ['::ffff:10.0.0.1', { own: '10.0.0.1', site: null }],
      ['::FFFF:10.0.0.1', { own: '10.0.0.1', site: null }],
      ['[::ffff:10.0.0.1]:443', { own: '10.0.0.1', site: null }],
      ['2001:db8:0:1::1', site],
      ['2001:DB8:0000:0001:ffff:ffff:ffff:ffff', site],
      ['[2001:db8:0:1::2]:443', site],
      ['2001:db8:0:1::1%eth0', site],
      ['::1', { own: '0:0:0:0::/64', site: '0:0:0::/48' }],
    ] as const) {
      assert.deepEqual(keysOf(ip), expected, ip)
    }
  })

  test("what is no address is the socket's", () => {
    for (const ip of [
      'rubbish',
      '',
      '999.1.1.1',
      '10.0.0.1, 10.0.0.2',
      '1:2:3',
      'x'.repeat(10_000),
    ]) {
      assert.deepEqual(keysOf(ip), { own: '192.0.2.1', site: null }, ip.slice(0, 20))
    }
    assert.deepEqual(keysOf('rubbish', 'more'), { own: 'unknown', site: null })
  })
})

describe('limits behind a trusted proxy (door case 35)', () => {
  test('a /48 has four times as much as a /64: of logins, refused upgrades and refused renewals', async () => {
    const limits = { addressPerMinute: 2, refusedUpgradesPerMinute: 2, refusedRenewalsPerMinute: 2 }
    const app = await start(limits, { trustProxy: '127.0.0.1' })
    const tries: Record<string, (headers: Record<string, string>) => Promise<{ status: number }>> =
      {
        login: (headers) => postLogin(app, { username: 'x', password: 'x' }, headers),
        upgrade: (headers) => upgrade(app, 'a.b.c', headers),
        renewal: (headers) => renew(app, 'a.b.c', headers),
      }
    for (const [name, attempt] of Object.entries(tries)) {
      const by = async (address: string): Promise<number> =>
        (await attempt({ 'x-forwarded-for': address })).status
      const found = []
      for (const network of [1, 2, 3, 4, 5]) {
        for (const host of [1, 2, 3]) {
          found.push(await by(`2001:db8:0:${String(network)}::${String(host)}`))
        }
      }
      const full = [401, 401, 429]
      assert.deepEqual(found, [...full, ...full, ...full, ...full, 429, 429, 429], name)
      assert.equal(await by('2001:db8:1:1::1'), 401, `${name}: another /48`)
      assert.equal(await by('10.0.0.1'), 401, `${name}: IPv4`)
    }
  })
})

describe('a proxy that nobody trusts (door hole 14)', () => {
  const warnings = (app: TestApp): string[] =>
    app.logs.filter((line) => line.includes('trustProxy'))

  test('is warned of once; with trustProxy, or without the header, there is nothing to say', async () => {
    const bare = await start({})
    await postLogin(bare, {})
    assert.deepEqual(warnings(bare), [])
    for (let n = 0; n < 3; n++) {
      await postLogin(bare, {}, { 'x-forwarded-for': '10.0.0.1' })
      await upgrade(bare, 'a.b.c', { 'x-forwarded-for': '10.0.0.1' })
    }
    assert.equal(warnings(bare).length, 1)
    const trusting = await start({}, { trustProxy: '127.0.0.1' })
    await postLogin(trusting, {}, { 'x-forwarded-for': '10.0.0.1' })
    assert.deepEqual(warnings(trusting), [])
  })

  test('a number is no trust: all would share one bucket, and it is warned of (CVE-2026-16732)', async () => {
    const app = await start({ addressPerMinute: 1 }, { trustProxy: 1 as never })
    const by = async (address: string): Promise<number> =>
      (await postLogin(app, { username: 'x', password: 'x' }, { 'x-forwarded-for': address }))
        .status
    const found = [await by('10.0.0.1'), await by('10.0.0.2')]
    // A Fastify that counts hops again tells the two apart, and needs no warning.
    if (found[1] === 429) assert.equal(warnings(app).length, 1)
    else assert.deepEqual(found, [401, 401])
  })
})

test('an address that fills the queue of hashes keeps nobody else out (door hole 27)', async (t) => {
  // What an unknown user's password costs.
  const options = optionsFor(pool, { passwordIterations: 300_000 })
  const app = await startApp(options, { fastify: { trustProxy: true } })
  const derive = t.mock.method(hashPool, 'derive')
  const statusFrom = async (
    address: string,
    username: string,
    password: string,
  ): Promise<number> => {
    const sent = await postLogin(app, { username, password }, { 'x-forwarded-for': address })
    return sent.status
  }
  const greedy = Array.from({ length: availableParallelism() + 44 }, () =>
    statusFrom('10.1.0.1', 'nobody', 'x'),
  )
  await until(() => derive.mock.callCount() === greedy.length, 'the queue')
  let waiting = greedy.length
  for (const each of greedy) void each.then(() => waiting--)
  assert.equal(await statusFrom('10.1.0.2', 'fast1', 'fast password 1'), 200)
  assert.ok(waiting > 20, 'it was not the last')
  const statuses = await Promise.all(greedy)
  assert.deepEqual([...new Set(statuses)].sort(), [401, 503])
})
