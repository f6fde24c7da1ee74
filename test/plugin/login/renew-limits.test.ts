// How often a page may renew, and when it is told to wait.
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { startDjango } from '../django/start-django.js'
import { codeOf, logIn, openRenewing, renew, renewedTicket } from '../renewals.js'
import { type TestApp, WIDE, optionsFor, startApp, until } from '../start-app.js'

const { pool } = await startDjango()
const start = (options: object = {}): Promise<TestApp> => startApp(optionsFor(pool, options))
const app = await start()
afterEach(() => until(() => app.slots() === 0, 'every slot'))

describe('limits of renewals', () => {
  test('of one page: 429 with Retry-After; another page of the same user is not touched', async () => {
    const limited = await start({ rateLimits: { ...WIDE, renewalsPerMinute: 3 } })
    const [one, other] = [await logIn(limited, 1), await logIn(limited, 1)]
    const found = []
    for (let n = 0; n < 5; n++) found.push((await renew(limited, one.renewal)).status)
    assert.deepEqual(found, [200, 200, 200, 429, 429])
    const answer = await renew(limited, one.renewal)
    assert.equal(codeOf(answer), 'PB_ERR_RENEWAL_LIMIT')
    assert.ok(Number(answer.headers['retry-after']) > 50)
    assert.equal((await renew(limited, other.renewal)).status, 200)
  })

  test('refused ones of an address: 429; accepted ones are not counted', async () => {
    const limited = await start({ rateLimits: { ...WIDE, refusedRenewalsPerMinute: 2 } })
    const { renewal } = await logIn(limited, 1)
    for (let n = 0; n < 4; n++) assert.equal((await renew(limited, renewal)).status, 200)
    const found = []
    for (let n = 0; n < 4; n++) found.push((await renew(limited, 'a.b.c')).status)
    assert.deepEqual(found, [401, 401, 429, 429])
    assert.equal((await renew(limited, renewal)).status, 429)
  })

  test('200 a second of all pages together: 503 with a random Retry-After, and the token is kept (door case 60)', async (t) => {
    const busy = await start()
    const { renewal } = await logIn(busy, 1)
    // A second that does not pass: however slow the machine, all of them are within it.
    const stopped = performance.now()
    const clock = t.mock.method(performance, 'now', () => stopped)
    const all = await Promise.all(Array.from({ length: 260 }, () => renew(busy, renewal)))
    clock.mock.restore()
    assert.equal(all.filter(({ status }) => status === 200).length, 200)
    const refused = all.filter(({ status }) => status === 503)
    assert.equal(refused.length, 60)
    assert.ok(refused.every((answer) => codeOf(answer) === 'PB_ERR_RENEWAL_BUSY'))
    const waits = new Set(refused.map(({ headers }) => headers['retry-after']))
    assert.ok([...waits].every((wait) => Number(wait) >= 1 && Number(wait) <= 10))
    assert.ok(waits.size > 1, 'all would come back at once')
    await until(() => performance.now() > stopped + 50, 'some of them')
    assert.equal((await renew(busy, renewal)).status, 200)
  })

  test('as many sessions as there may be: the renewal says so, for a page cannot read it of the upgrade (door case 64)', async () => {
    const full = await start({ sessions: { perUser: 1, total: 2 } })
    const [own, other, third] = [await logIn(full, 1), await logIn(full, 1), await logIn(full, 2)]
    const session = await openRenewing(full, own.ticket)
    const user = await renew(full, other.renewal)
    assert.equal(user.status, 429)
    assert.equal(codeOf(user), 'PB_ERR_UPGRADE_LIMIT')
    assert.equal((await renew(full, own.renewal)).status, 200, 'it would replace its own')
    const second = await openRenewing(full, third.ticket)
    const all = await renew(full, (await logIn(full, 3)).renewal)
    assert.equal(all.status, 503)
    assert.equal(codeOf(all), 'PB_ERR_UPGRADE_FULL')
    for (const { socket } of [session, second]) socket.terminate()
  })

  test('the database away: 503, and the token is good afterwards', async (t) => {
    const { renewal } = await logIn(app, 1)
    const query = t.mock.method(pool, 'query', () => Promise.reject(new Error('down')))
    const answer = await renew(app, renewal)
    assert.equal(answer.status, 503)
    assert.equal(codeOf(answer), 'PB_ERR_DB_UNAVAILABLE')
    assert.ok(Number(answer.headers['retry-after']) > 0)
    query.mock.restore()
    assert.equal((await renew(app, renewal)).status, 200)
  })

  test('the app closes: 503', async () => {
    const closing = await startApp(optionsFor(pool))
    const { renewal } = await logIn(closing, 1)
    const session = await openRenewing(closing, await renewedTicket(closing, renewal))
    session.socket.pause()
    const closed = closing.close()
    const answer = await renew(closing, renewal).catch(() => null)
    if (answer !== null) assert.equal(answer.status, 503)
    session.socket.terminate()
    await closed
  })
})
