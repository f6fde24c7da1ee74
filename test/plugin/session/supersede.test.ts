// A page that comes back takes the place of its own lost connection.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { startDjango } from '../django/start-django.js'
import { logIn, openRenewing, renewedTicket } from '../renewals.js'
import {
  type TestApp,
  events,
  openRaw,
  openWire,
  optionsFor,
  startApp,
  until,
  upgrade,
  upgradeText,
} from '../start-app.js'

const { pool } = await startDjango()
const start = (options: object = {}): Promise<TestApp> => startApp(optionsFor(pool, options))
const app = await start()
const { sessions } = app.app.perspective

beforeEach(() => {
  events.length = 0
})
afterEach(() => until(() => app.slots() === 0, 'every slot'))

describe("coming back against one's own ghost (door case 63)", () => {
  test('cap 1: admitted at once; the old avatar is detached before the new one is attached', async () => {
    const capped = await start({ sessions: { perUser: 1 } })
    const { ticket, renewal } = await logIn(capped, 1)
    const stranger = await logIn(capped, 1)
    // Half open: it reads nothing and answers nothing, not even the close frame.
    const ghost = await openWire(capped, upgradeText(ticket))
    ghost.socket.write(Buffer.from([0x81, 0x87, 0, 0, 0, 0, ...Buffer.from('[[0,0]]')]))
    await until(() => capped.app.perspective.sessions.count === 1, 'the ghost')
    ghost.socket.pause()
    assert.equal((await upgrade(capped, stranger.ticket)).status, 429, 'another page of the user')
    events.length = 0
    const back = await openRenewing(capped, await renewedTicket(capped, renewal))
    assert.deepEqual(events, ['detached replaced', 'attached'])
    assert.equal(capped.app.perspective.sessions.count, 1)
    await until(() => capped.slots() === 1, "the ghost's slot")
    back.socket.terminate()
    ghost.socket.destroy()
    await until(() => capped.slots() === 0, 'both')
  })

  test('as many sessions as there may be in all, and in none of them room: its own is its to take', async () => {
    const capped = await start({ sessions: { total: 2 } })
    const { ticket, renewal } = await logIn(capped, 1)
    const other = await openRenewing(capped, (await logIn(capped, 2)).ticket)
    const ghost = await openRenewing(capped, ticket)
    ghost.socket.pause()
    const waiting = await logIn(capped, 3)
    const back = await openRenewing(capped, await renewedTicket(capped, renewal))
    assert.equal((await upgrade(capped, waiting.ticket)).status, 503)
    assert.equal(other.socket.readyState, 1)
    for (const { socket } of [back, other, ghost]) socket.terminate()
    await until(() => capped.slots() === 0, 'all')
  })

  test('three tries at once: one stays, the counters are right, and no avatar is left behind', async () => {
    const { renewal } = await logIn(app, 1)
    const tickets = []
    for (let n = 0; n < 3; n++) tickets.push(await renewedTicket(app, renewal))
    const tries = await Promise.allSettled(tickets.map((ticket) => openRaw(app, ticket)))
    const opened = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    await until(() => sessions.count === 1 && app.slots() === 1, 'one')
    for (const { socket } of opened) socket.terminate()
    await until(() => app.slots() === 0, 'all')
    assert.equal(
      events.filter((event) => event === 'attached').length,
      events.filter((event) => event !== 'attached').length,
    )
  })
})
