// What a page does after each close code, and when: read off the states, which say it.
import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { type SessionState, connect } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { DoorServer } from './door-server.js'
import { type Page, cameBack, enter, follow, names, reached, until } from './pages.js'
import type { Contract } from './root.js'

const server = await DoorServer.start({ spreadMs: 40 })
after(() => server.close())
afterEach(async () => {
  server.refusals.clear()
  await server.empty()
})

type Waiting = Extract<SessionState, { name: 'waiting' }>

/** Closes the newest session's socket with a code; how many seconds the page waits then, or null where it ends. */
async function closeWith(
  page: Page,
  code: number,
  reason = '',
): Promise<{ seconds: number; state: Waiting } | null> {
  const next = new Promise<{ seconds: number; state: Waiting } | null>((resolve) => {
    const stop = page.session.subscribe((state) => {
      stop()
      const isWaiting = state.name === 'waiting'
      resolve(isWaiting ? { seconds: (state.until.getTime() - Date.now()) / 1000, state } : null)
    })
  })
  server.newest.socket.close(code, reason)
  return next
}

describe('the page after a close code', () => {
  for (const [code, reason] of [
    [1000, 'logout'],
    [4401, 'credentials-changed'],
    [4401, 'deactivated'],
    [4403, 'Only on Mondays.'],
    [4410, 'max-age'],
    [4440, 'kicked'],
  ] as const) {
    test(`${String(code)} ${reason} ends the session of a login, with the reason as it was said`, async () => {
      const page = await enter(server.url, { reconnect: {} })
      assert.equal(await closeWith(page, code, reason), null)
      assert.deepEqual(await page.session.ended, { code, reason, byPeer: true })
      assert.deepEqual(names(page), ['ended'])
    })
  }

  for (const [code, least, most] of [
    [1001, 0, 0.041],
    [1005, 0, 0.041],
    [1002, 30, 60],
    [1007, 30, 60],
    [1009, 30, 60],
    [1011, 5, 10],
    [4400, 30, 60],
    [4408, 0, 0.041],
    [4409, 0, 0.041],
    [4413, 10, 20],
    [4429, 30, 60],
    [4503, 0, 0.041],
    [4999, 0, 0.041],
  ] as const) {
    test(`${String(code)}: another try in ${String(least)} to ${String(most)} seconds`, async () => {
      const page = await enter(server.url, { reconnect: {} })
      const next = await (code === 1005
        ? closeWith(page, undefined as never)
        : closeWith(page, code, ''))
      assert.ok(next !== null)
      assert.ok(next.seconds >= least && next.seconds <= most, String(next.seconds))
      assert.equal(next.state.reason.code, code)
      await page.session.logout()
    })
  }

  test('1001 with a hint: not before it, and spread over it; a word instead of its JSON', async () => {
    const page = await enter(server.url, { reconnect: {} })
    const next = await closeWith(page, 1001, '{"after":[30,90]}')
    assert.ok(next !== null && next.seconds >= 29.9 && next.seconds <= 90)
    assert.deepEqual(next.state.reason, { code: 1001, reason: 'closing', byPeer: true })
    await page.session.logout()
  })

  test('1001 with a hint that is none, and with one of years', async () => {
    for (const [hint, most] of [
      ['', 0.1],
      ['bye', 0.1],
      ['{"after":5}', 0.1],
      ['{"after":["a",null]}', 0.1],
      ['{"after":[1000000000000,2000000000000]}', 3600.1],
    ] as const) {
      const page = await enter(server.url, { reconnect: {} })
      const next = await closeWith(page, 1001, hint)
      assert.ok(next !== null && next.seconds >= -0.1 && next.seconds <= most, hint)
      await page.session.logout()
    }
  })

  test('4409 twice in a row: whoever else is there may stay', async () => {
    const page = await enter(server.url)
    server.newest.socket.close(4409, 'replaced')
    await cameBack(page)
    assert.equal(await closeWith(page, 4409, 'replaced'), null)
    assert.equal((await page.session.ended).code, 4409)
  })

  test('4401 and 4410 let a cookie, and a function, try once', async () => {
    for (const code of [4401, 4410]) {
      const page = follow(
        await connect<Contract>(server.url, () => server.mintTicket('1'), { WebSocket }),
      )
      server.newest.socket.close(code, 'session-ended')
      await cameBack(page)
      assert.equal(await page.session.perspective.echo(1), 1)
      assert.equal(await closeWith(page, code, 'session-ended'), null)
    }
  })

  test('4401 of a user who is inactive or gone ends it at once: there is no ticket to ask for', async () => {
    for (const reason of ['deactivated', 'deleted']) {
      const page = follow(
        await connect<Contract>(server.url, () => server.mintTicket('1'), { WebSocket }),
      )
      assert.equal(await closeWith(page, 4401, reason), null)
      assert.deepEqual(await page.session.ended, { code: 4401, reason, byPeer: true })
    }
  })

  test('back-off: full jitter, twice as wide with each try, and no wider than 30 seconds', async () => {
    const page = await enter(server.url, { reconnect: { minDelayMs: 1, maxDelayMs: 64 } })
    server.refusals.set('renew', { status: 500, code: 'PB_ERR_SERVER_FAILED' })
    const waits: number[] = []
    page.session.subscribe((state) => {
      if (state.name !== 'waiting') return
      assert.equal(state.attempt, waits.length + 1)
      waits.push(state.until.getTime() - Date.now())
    })
    server.newest.socket.terminate()
    await until(() => waits.length === 30, 'thirty tries')
    assert.ok(
      waits.every((ms) => ms <= 65),
      String(waits),
    )
    assert.ok(new Set(waits).size > 8, `jitter: ${String(waits)}`)
    server.refusals.clear()
    await reached(page, 'open')
    await page.session.logout()
  })
})
