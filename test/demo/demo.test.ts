// `npm run demo` as a visitor sees it: the command, and its page in a real Chromium, with three users at once.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { DEMO_ACCOUNTS } from '../../demo/accounts.js'
import { launchChromium, needsChromium } from '../support/chromium.js'
import { type Demo, findFreePort, startDemo } from '../support/demo.js'
import { testBoard } from './board-page.js'
import { openVisitor } from './visitor.js'

describe('the demo, with a database of its own', () => {
  let demo: Demo
  before(async () => {
    demo = await startDemo()
  })
  after(() => demo.stop('SIGKILL'))

  test('prints its address, the accounts, and what each may do', () => {
    assert.match(demo.output, new RegExp(`at ${demo.url}\n`))
    for (const { username, password, note } of DEMO_ACCOUNTS)
      assert.match(demo.output, new RegExp(`^ +${username} +${password} +${note}`, 'm'))
    assert.match(demo.output, /ada .*administrator/)
    assert.match(demo.output, /linus .*may not clear/)
  })

  test('says what PORT must be', async () => {
    await assert.rejects(
      startDemo({}, 65536),
      /code 1:\nPORT: expected a number from 1 to 65535, got "65536"/,
    )
  })

  describe('its pages', needsChromium(), () => {
    let browser: Browser
    before(async () => {
      browser = await launchChromium()
    })
    after(() => browser.close())
    testBoard(() => ({ browser, url: demo.url }))

    test('an account is one click away', async () => {
      const visitor = await openVisitor(browser, demo.url)
      await visitor.page.getByRole('button', { name: 'linus member' }).click()
      await visitor.people.getByText('linus').waitFor()
      await visitor.close()
    })
  })

  test('Ctrl-C ends it, with code 0', async () => {
    assert.equal(await demo.stop('SIGINT'), 0)
    assert.match(demo.output, /Stopping \.\.\.\nStopped\.\n$/)
    await assert.rejects(fetch(demo.url))
  })
})

for (const host of ['127.0.0.1', '::1']) {
  test(`a port that something else has on ${host} is taken`, async (t) => {
    const port = await findFreePort()
    const other = createServer().listen(port, host)
    const [error] = (await Promise.race([once(other, 'listening'), once(other, 'error')])) as [
      Error?,
    ]
    if (error !== undefined) {
      // A container without IPv6, say: nothing can hold a port there, so that there is nothing to be found taken, and no other way
      // to test it. tools/test.mjs says so at its end, and with CI=true fails: CI has to have both.
      t.skip(`this machine has no ${host}: enable IPv6 on its loopback interface`)
      return
    }
    t.after(() => other.close())
    await assert.rejects(startDemo({}, port), /is taken/)
  })
}
