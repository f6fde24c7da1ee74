// How many sessions there may be: of one user, from one address, in all; and who makes room.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { beforeEach, describe, test } from 'node:test'
import { startDjango } from '../django/start-django.js'
import { codeOf, logIn, openRenewing, renew, renewedTicket } from '../renewals.js'
import {
  type AppSetup,
  type TestApp,
  closeAll,
  events,
  openRaw,
  openSession,
  optionsFor,
  startApp,
  ticketOf,
  until,
  upgrade,
} from '../start-app.js'

const { pool } = await startDjango()

beforeEach(() => {
  events.length = 0
})

const start = (sessions: object, setup?: AppSetup): Promise<TestApp> =>
  startApp(optionsFor(pool, { sessions }), setup)

describe('caps', () => {
  test('an upgrade whose ticket is read after its deadline counts for nobody from then on', async (t) => {
    const capped = await start({ perUser: 1 })
    const ticket = await ticketOf(capped, 1)
    const { subtle } = globalThis.crypto
    const verify = subtle.verify.bind(subtle)
    let isLate = false
    const held: (() => void)[] = []
    t.mock.method(subtle, 'verify', async (...args: Parameters<typeof verify>) => {
      // As where the app keeps the threads busy that Node verifies in.
      if (!isLate) await new Promise<void>((resolve) => held.push(resolve))
      return verify(...args)
    })
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const answer = upgrade(capped, ticket)
    await until(() => held.length === 1, 'the ticket')
    t.mock.timers.tick(5000)
    const { status, socket } = await answer
    assert.equal(status, 503)
    socket.destroy()
    await until(() => capped.slots() === 0, 'its slot')
    t.mock.timers.reset()
    isLate = true
    held[0]?.()
    const again = await openSession(capped, 1)
    await closeAll([again])
  })

  test('one for each user: of 20 upgrades at once exactly one opens (door case 22; door hole 25)', async () => {
    const capped = await start({ perUser: 1 })
    const tickets = []
    for (let n = 0; n < 20; n++) tickets.push(await ticketOf(capped, 1))
    const other = await ticketOf(capped, 2)
    const answers = await Promise.all(tickets.map((ticket) => upgrade(capped, ticket)))
    assert.equal(answers.filter(({ status }) => status === 101).length, 1)
    const refused = answers.filter(({ status }) => status === 429)
    assert.equal(refused.length, 19)
    assert.ok(refused.every(({ headers }) => Number(headers['retry-after']) > 0))
    const { status, socket } = await upgrade(capped, other)
    assert.equal(status, 101, 'another user')
    for (const answer of answers) answer.socket.destroy()
    socket.destroy()
    await until(() => capped.slots() === 0, 'all')
    const again = await openSession(capped, 1)
    await closeAll([again])
    await until(() => capped.slots() === 0, 'all')
  })

  test('in all: 503 with Retry-After beyond, also for what is not proven yet', async () => {
    const capped = await start({ total: 2 })
    const all = [await openSession(capped, 1), await openSession(capped, 2)]
    const { status, headers } = await upgrade(capped, await ticketOf(capped, 3))
    assert.equal(status, 503)
    const wait = Number(headers['retry-after'])
    assert.ok(wait >= 10 && wait <= 30)
    await closeAll(all.slice(0, 1))
    await until(() => capped.slots() === 1, 'one')
    await closeAll([await openSession(capped, 3), ...all.slice(1)])
    await until(() => capped.slots() === 0, 'all')
  })

  test('of one address: of 20 upgrades at once three open; slots come back, and other addresses have their own', async () => {
    const capped = await start({ perAddress: 3 }, { fastify: { trustProxy: '127.0.0.1' } })
    const from = (address: string) => ({ 'x-forwarded-for': address })
    const tickets = []
    for (let n = 0; n < 20; n++) tickets.push(await ticketOf(capped, 1 + (n % 3)))
    const answers = await Promise.all(
      tickets.map((ticket) => upgrade(capped, ticket, from('10.0.0.1'))),
    )
    assert.equal(answers.filter(({ status }) => status === 101).length, 3)
    const refused = answers.filter(({ status }) => status === 429)
    assert.equal(refused.length, 17)
    assert.ok(refused.every((answer) => codeOf(answer) === 'PB_ERR_UPGRADE_LIMIT'))
    assert.ok(refused.every(({ headers }) => Number(headers['retry-after']) > 0))
    const other = await upgrade(capped, await ticketOf(capped, 1), from('10.0.0.2'))
    assert.equal(other.status, 101)
    const { renewal } = await logIn(capped, 2)
    assert.equal((await renew(capped, renewal, from('10.0.0.1'))).status, 429, 'says so beforehand')
    assert.equal((await renew(capped, renewal, from('10.0.0.2'))).status, 200)
    for (const { socket } of [...answers, other]) socket.destroy()
    await until(() => capped.slots() === 0, 'all')
    const again = await upgrade(capped, await ticketOf(capped, 1), from('10.0.0.1'))
    assert.equal(again.status, 101)
    again.socket.destroy()
    await until(() => capped.slots() === 0, 'all')
  })

  test('of an IPv6 site: a /64 is one address, and a /48 has four times as much (door case 35)', async () => {
    const capped = await start({ perAddress: 1 }, { fastify: { trustProxy: '127.0.0.1' } })
    const all: Socket[] = []
    const at = async (address: string): Promise<number> => {
      const ticket = await ticketOf(capped, 1)
      const { status, socket } = await upgrade(capped, ticket, { 'x-forwarded-for': address })
      all.push(socket)
      return status
    }
    assert.equal(await at('2001:db8:0:1::1'), 101)
    assert.equal(await at('2001:db8:0:1::2'), 429, 'the same /64')
    for (const n of [2, 3, 4]) assert.equal(await at(`2001:db8:0:${String(n)}::1`), 101)
    assert.equal(await at('2001:db8:0:5::1'), 429, 'the fifth of its /48')
    assert.equal(await at('2001:db8:1:5::1'), 101, 'another /48')
    for (const socket of all) socket.destroy()
    await until(() => capped.slots() === 0, 'all')
  })
})

describe("sessions.atLimit: 'replace-oldest'", () => {
  test('lets the newest in: the oldest ends with 4409, and does not come back by itself', async () => {
    const capped = await start({ perUser: 2, atLimit: 'replace-oldest' })
    const [first, second] = [await logIn(capped, 1), await logIn(capped, 1)]
    const oldest = await openRenewing(capped, first.ticket)
    const middle = await openRenewing(capped, second.ticket)
    const neighbour = await openSession(capped, 2)
    const newest = await openSession(capped, 1)
    assert.deepEqual(await oldest.closed, { code: 4409, reason: 'too many' })
    assert.ok(events.includes('detached replaced'))
    for (const token of [first.renewal, oldest.told.token]) {
      assert.equal(
        (await renew(capped, token)).status,
        401,
        'or the two would replace each other for ever',
      )
    }
    assert.equal((await renew(capped, second.renewal)).status, 200)
    for (const { socket } of [middle, neighbour, newest]) assert.equal(socket.readyState, 1)
    assert.equal(capped.app.perspective.sessions.of(6).length, 2)
    const back = await openRenewing(capped, await renewedTicket(capped, second.renewal))
    assert.deepEqual(await middle.closed, { code: 4409, reason: 'replaced' })
    assert.equal(newest.socket.readyState, 1, 'a page that comes back takes its own place')
    await closeAll([back, neighbour, newest])
  })

  test('20 at once: exactly as many as allowed stay, and every avatar has been detached once', async () => {
    const capped = await start({ perUser: 1, atLimit: 'replace-oldest' })
    const tickets = []
    for (let n = 0; n < 20; n++) tickets.push(await ticketOf(capped, 1))
    const tries = await Promise.allSettled(tickets.map((ticket) => openRaw(capped, ticket)))
    const opened = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    await until(() => capped.slots() === 1 && capped.app.perspective.sessions.count === 1, 'one')
    for (const { socket } of opened) socket.terminate()
    await until(() => capped.slots() === 0, 'all')
    const attached = events.filter((event) => event === 'attached').length
    assert.ok(events.length - attached >= attached)
  })

  test('what is refused anyway replaces nobody: a used ticket, a forged one', async () => {
    const capped = await start({ perUser: 1, atLimit: 'replace-oldest' })
    const ticket = await ticketOf(capped, 1)
    const session = await openRaw(capped, ticket)
    await session.frame('username')
    for (const bad of [ticket, 'a.b.c']) assert.equal((await upgrade(capped, bad)).status, 401)
    assert.equal(session.socket.readyState, 1)
    await closeAll([session])
  })
})
