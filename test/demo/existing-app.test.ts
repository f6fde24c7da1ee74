// An app with routes, hooks and a logger of its own that got the plugin: both go on together, in a real Chromium.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import pg from 'pg'
import type { Browser } from 'playwright-core'
import { buildApp } from '../../demo/existing-app/app.js'
import { loadDjango, type Postgres, startPostgres } from '../../tools/postgres/start.js'
import { launchChromium, needsChromium } from '../support/chromium.js'
import { findFreePort } from '../support/demo.js'
import { passwordOf } from './visitor.js'

describe('an existing app that got the plugin', needsChromium(), () => {
  let postgres: Postgres, pool: pg.Pool, app: FastifyInstance, browser: Browser, url: string
  const logged: string[] = []

  before(async () => {
    postgres = await startPostgres()
    await loadDjango(postgres.url)
    pool = new pg.Pool({ connectionString: postgres.url })
    const port = await findFreePort()
    url = `http://localhost:${port}`
    const stream = { write: (line: string) => void logged.push(line) }
    const ticketSecret = 'only for this test, and long enough for it'
    app = await buildApp({ level: 'info', stream }, { pool, ticketSecret, origin: url })
    await app.listen({ port, host: 'localhost' })
    browser = await launchChromium()
  })
  after(async () => {
    await browser.close()
    await app.close()
    await pool.end()
    await postgres.stop()
  })

  test('its routes change what pages mirror, and pages change what its routes answer', async () => {
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(url)
    await page.getByLabel('User name').fill('fast1')
    await page.getByLabel('Password').fill(passwordOf('fast1'))
    const answer = page.waitForResponse(`${url}/perspective/login`)
    await page.getByRole('button', { name: 'Log in' }).click()
    // Its hook runs for the plugin's routes as for its own.
    assert.match((await (await answer).allHeaders())['x-request-id'] ?? '', /^req-/)
    await page.getByText('Hello, fast1.').waitFor()

    await page.getByRole('button', { name: 'Lend Linux in Brief' }).click()
    await page.getByText('Linux in Brief: fast1 has it').waitFor()
    const books = (await (await fetch(`${url}/api/books`)).json()) as { lentTo: string | null }[]
    assert.deepEqual(
      books.map(({ lentTo }) => lentTo),
      [null, null, 'fast1'],
    )

    const back = () => fetch(`${url}/api/books/3/return`, { method: 'POST' })
    assert.equal((await back()).status, 204)
    await page.getByRole('button', { name: 'Lend Linux in Brief' }).waitFor()
    assert.equal((await back()).status, 409)

    // One log for all of it, without what nobody may read there.
    const log = logged.join('')
    for (const message of ['answered', 'book lent', 'book returned'])
      assert.ok(log.includes(`"msg":"${message}"`), message)
    assert.ok(!log.includes(passwordOf('fast1')))

    await app.close()
    await page.getByText('The connection is lost').waitFor()
    assert.deepEqual(complaints, [])
  })
})
