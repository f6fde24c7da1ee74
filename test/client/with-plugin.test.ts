// The page and the real plugin, through a network that fails: back without a password, gone after a logout or a kick.
import assert from 'node:assert/strict'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { RequestError, type Session, login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { startDjango } from '../plugin/django/start-django.js'
import { type TestContract, events, optionsFor, startApp, until } from '../plugin/start-app.js'
import { startNetwork } from '../support/network.js'
import { type Page, cameBack, failure, follow, names, reached } from './pages.js'

const { pool } = await startDjango()
const app = await startApp(optionsFor(pool, { sessions: { perUser: 1 } }))
const network = await startNetwork(app.port)
const url = `http://127.0.0.1:${String(network.port)}/perspective`
after(async () => {
  await network.close()
  await app.close()
})
beforeEach(() => {
  events.length = 0
})
afterEach(async () => {
  network.swallow()
  await until(() => app.slots() === 0 && app.app.perspective.sessions.count === 0, 'every slot')
})

type PluginPage = Page & { readonly session: Session<TestContract> }

async function enter(user = 1, at = url): Promise<PluginPage> {
  const credentials = {
    username: `fast${String(user)}`,
    password: `fast password ${String(user)}`,
  }
  return follow(
    (await login<TestContract, undefined>(at, credentials, {
      WebSocket,
      reconnect: { minDelayMs: 5, maxDelayMs: 100 },
    })) as never,
  ) as unknown as PluginPage
}

describe('a page and the plugin', () => {
  test('comes back as the same user, twice, by its renewal token, and is attached once each time', async () => {
    const page = await enter()
    const { perspective } = page.session
    for (let round = 0; round < 2; round++) {
      network.cut()
      await cameBack(page)
      assert.equal(await perspective.whoAmI(), 'fast1')
      assert.equal(await perspective.echo(perspective), perspective)
    }
    assert.equal(app.logs.filter((line) => line.includes('perspective: renewal')).length, 2)
    await page.session.logout()
    await until(() => events.length === 6, 'the last detached')
    assert.deepEqual(events.at(-1), 'detached logout')
  })

  test('door case 63: with a cap of one the half-open socket is replaced before the new avatar comes', async () => {
    const page = await enter()
    network.abandon()
    await cameBack(page)
    assert.equal(await page.session.perspective.whoAmI(), 'fast1')
    assert.deepEqual(events, ['attached', 'detached replaced', 'attached'])
    await page.session.logout()
  })

  test('door case 62: logged out while waiting and offline: nothing of it is left on the server', async () => {
    const page = await enter()
    await network.refuse(true)
    await reached(page, 'waiting')
    await page.session.logout()
    await network.refuse(false)
    assert.deepEqual(names(page).at(-1), 'ended')
  })

  test('a kick ends it for good', async () => {
    const page = await enter()
    app.app.perspective.sessions.disconnect(6, 'banned')
    const reason = await page.session.ended.catch(() => null)
    assert.deepEqual(reason, { code: 4440, reason: 'banned', byPeer: true })
  })

  test('kicked while it is away: its token is refused, and the page is told to log in', async () => {
    const page = await enter()
    await network.refuse(true)
    await reached(page, 'waiting')
    app.app.perspective.sessions.disconnect(6, 'banned')
    await network.refuse(false)
    assert.deepEqual(await page.session.ended, {
      code: 4401,
      reason: 'PB_ERR_RENEWAL_REJECTED',
      byPeer: true,
    })
  })

  test('the server restarts: it adopts the token, and the page is back without a password', async () => {
    const options = optionsFor(pool)
    const first = await startApp(options)
    const line = await startNetwork(first.port)
    const page = await enter(1, `http://127.0.0.1:${String(line.port)}/perspective`)
    await first.close()
    assert.equal((await reached(page, 'waiting')).reason.reason, 'closing')
    line.retarget((await startAgain(options)).port)
    await reached(page, 'open')
    assert.equal(await page.session.perspective.whoAmI(), 'fast1')
    await page.session.logout()
    await line.close()
  })

  test('a session of a user with too many elsewhere: the login says which, and when to come again', async () => {
    const page = await enter()
    const error = await failure(enter())
    assert.ok(error instanceof RequestError)
    assert.deepEqual([error.status, error.code], [429, 'PB_ERR_UPGRADE_LIMIT'])
    await page.session.logout()
  })
})

async function startAgain(options: Parameters<typeof startApp>[0]) {
  return startApp(options)
}
