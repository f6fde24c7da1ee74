// The demo's page and a server that goes and comes back: as itself, and as one that knows nothing of the page.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { loadDjango, type Postgres, startPostgres } from '../../tools/postgres/start.js'
import { launchChromium, needsChromium } from '../support/chromium.js'
import { type Demo, startDemo } from '../support/demo.js'
import { openVisitor } from './visitor.js'

describe('the demo, and its server away', needsChromium(), () => {
  let postgres: Postgres, demo: Demo, browser: Browser
  const start = (port?: number, secret = 'only for this test, and long enough for it') =>
    startDemo({ DATABASE_URL: postgres.url, TICKET_SECRET: secret }, port)
  const open = () => openVisitor(browser, demo.url)

  before(async () => {
    postgres = await startPostgres()
    await loadDjango(postgres.url)
    demo = await start()
    browser = await launchChromium()
  })
  after(async () => {
    await browser.close()
    await demo.stop('SIGKILL')
    await postgres.stop()
  })

  test('a page comes back with its server, and logs in again where the server knows nothing of it', async () => {
    const visitor = await open()
    const newcomer = await open()
    const link = visitor.page.locator('.link')
    await visitor.login('fast1')
    await demo.stop('SIGKILL')
    await link.getByText('connection lost').waitFor()
    await newcomer.login('fast1')
    assert.equal(await newcomer.trouble.innerText(), 'The server does not answer. Is it running?')

    demo = await start(demo.port)
    await link.getByText('connected', { exact: true }).waitFor()
    await newcomer.login('fast1')
    await visitor.press('Add a note')
    await newcomer.note('Note by fast1').waitFor()
    await newcomer.close()

    await demo.stop('SIGTERM')
    await link.getByText('connection lost').waitFor()
    demo = await start(demo.port, 'another secret, as of a server that was set up anew')
    await visitor.page.getByText('The server ended your session').waitFor()
    await visitor.login('fast1')
    await visitor.people.waitFor()
    await visitor.close()
  })
})
