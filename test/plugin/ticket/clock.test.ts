// A clock that is set while tickets are out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { startDjango } from '../django/start-django.js'
import { logIn, renew } from '../renewals.js'
import { optionsFor, present, startApp, ticketOf, until } from '../start-app.js'

const { pool } = await startDjango()
const app = await startApp(optionsFor(pool))

test('set back by 5 minutes: a used ticket stays used, an expired one expired, new ones are good (door case 11)', async (t) => {
  const { ticket: used, renewal } = await logIn(app, 1)
  assert.equal(await present(app, used), 101)
  const real = Date.now.bind(Date)
  const wall = t.mock.method(Date, 'now', () => real() - 300_000)
  assert.equal(await present(app, used), 401)
  const fresh = await ticketOf(app, 1)
  assert.ok((decodeJwt(fresh).iat ?? 0) >= (decodeJwt(used).iat ?? 0), 'minted in the past')
  assert.equal(await present(app, fresh), 101)
  assert.equal(await present(app, fresh), 401)
  assert.equal((await renew(app, renewal)).status, 200)
  wall.mock.restore()
  assert.equal(await present(app, await ticketOf(app, 1)), 101)
  await until(() => app.slots() === 0, 'the slots')
})

test('set forward by 5 minutes and back again: what has expired stays expired, new ones are good (door case 11)', async (t) => {
  const ticket = await ticketOf(app, 1)
  const real = Date.now.bind(Date)
  const wall = t.mock.method(Date, 'now', () => real() + 300_000)
  assert.equal(await present(app, ticket), 401, 'expired')
  assert.equal(await present(app, await ticketOf(app, 1)), 101)
  wall.mock.restore()
  assert.equal(await present(app, ticket), 401, 'expired for good')
  assert.equal(await present(app, await ticketOf(app, 1)), 101)
  await until(() => app.slots() === 0, 'the slots')
})
