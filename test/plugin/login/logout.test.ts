// POST <prefix>/logout: what dies with it, and what does not.
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { startDjango } from '../django/start-django.js'
import { holdQueries } from '../hold-queries.js'
import { assertRejected, logIn, openRenewing, postLogout, renew } from '../renewals.js'
import { PAGE, type TestApp, optionsFor, present, startApp, ticketOf, until } from '../start-app.js'

const { pool } = await startDjango()
const start = (options: object = {}): Promise<TestApp> => startApp(optionsFor(pool, options))
const app = await start()
afterEach(() => until(() => app.slots() === 0, 'every slot'))

describe('POST <prefix>/logout', () => {
  test('204 whatever the token is worth; the token is dead then, other pages are not touched (door case 62)', async () => {
    const [one, other] = [await logIn(app, 1), await logIn(app, 1)]
    const { status, body, headers } = await postLogout(app, one.renewal)
    assert.deepEqual([status, body, headers['cache-control']], [204, '', 'no-store'])
    assertRejected(await renew(app, one.renewal), 'after logout')
    assert.equal(await present(app, one.ticket), 401, 'its ticket, too')
    assert.equal((await renew(app, other.renewal)).status, 200)
    assert.equal(await present(app, other.ticket), 101)
    for (const token of [one.renewal, 'a.b.c', one.ticket, '', { renewal: 5 }, {}, null]) {
      assert.equal((await postLogout(app, token)).status, 204, JSON.stringify(token))
    }
    assert.equal((await postLogout(app, other.renewal, { origin: PAGE })).status, 204)
    assert.equal((await renew(app, other.renewal)).status, 200, "another page's logout is none")
    assert.equal((await postLogout(app, other.renewal, { origin: 'null' })).status, 403)
  })

  test('closes the open session with 1000 (door case 62)', async () => {
    const { ticket, renewal } = await logIn(app, 1)
    const [own, other] = [
      await openRenewing(app, ticket),
      await openRenewing(app, await ticketOf(app, 1)),
    ]
    await own.keep()
    await postLogout(app, own.told.token)
    assert.equal((await own.closed).code, 1000)
    for (const token of [renewal, own.told.token]) {
      assertRejected(await renew(app, token), 'after logout')
    }
    assert.equal(other.socket.readyState, 1)
    other.socket.terminate()
  })

  test('while a renewal waits for the database: that one is refused (door case 62)', async (t) => {
    const { renewal } = await logIn(app, 1)
    const query = holdQueries(t, pool)
    const waiting = renew(app, renewal)
    await until(() => query.waiting() === 1, 'the query')
    await postLogout(app, renewal)
    query.go()
    assertRejected(await waiting, 'logged out meanwhile')
  })

  test('no log line at trace has a token (door case 26)', () => {
    assert.doesNotMatch(app.logs.join(''), /eyJ/)
  })
})
