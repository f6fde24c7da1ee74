// `npm run demo` as a visitor sees it: the command, and its page in a real Chromium. One file, so that two launchers
// do not build the page at the same time.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { ACCOUNTS } from '../../tools/postgres/accounts.js'
import { loadDjango, startPostgres } from '../../tools/postgres/start.js'
import { launchChromium, needsChromium } from '../support/chromium.js'
import { type Demo, findFreePort, startDemo } from '../support/demo.js'
import { openVisitor, passwordOf, type Visitor } from './visitor.js'

describe('the demo, with a database of its own', () => {
  let demo: Demo
  before(async () => {
    demo = await startDemo()
  })
  after(() => demo.stop('SIGKILL'))

  test('prints its address and the accounts, without those that only tests need', () => {
    assert.match(demo.output, new RegExp(`at ${demo.url}\n`))
    for (const { username, password } of ACCOUNTS) {
      const isShown = !username.startsWith('fast')
      assert.equal(new RegExp(`^ +${username} +${password ?? '–'}`, 'm').test(demo.output), isShown)
    }
  })

  test('says what PORT must be', async () => {
    await assert.rejects(
      startDemo({}, 65536),
      /code 1:\nPORT: expected a number from 1 to 65535, got "65536"/,
    )
  })

  describe('its page', needsChromium(), () => {
    let browser: Browser
    before(async () => {
      browser = await launchChromium()
    })
    after(() => browser.close())

    async function enter(username: string): Promise<Visitor> {
      const visitor = await openVisitor(browser, demo.url)
      await visitor.login(username)
      return visitor
    }

    test('two users see each other, talk, and answer what the server asks them', async () => {
      const grace = await enter('grace')
      const fast1 = await enter('fast1')
      for (const { people } of [grace, fast1]) {
        await people.getByText('fast1').waitFor()
        await people.getByText('grace').waitFor()
      }

      await fast1.say('hello, <b>everybody</b>')
      await grace.lines.getByText('hello, <b>everybody</b>').waitFor()

      await fast1.ask('Is it time?')
      await grace.incoming.getByText('Is it time?').waitFor()
      await fast1.question('Is it time?').getByText('0 yes · 0 no · 2 to come').waitFor()
      await grace.answer('Yes')
      // Seen by the other page while the server still awaits that one.
      await fast1.question('Is it time?').getByText('1 yes · 0 no · 1 to come').waitFor()
      await fast1.answer('No')
      for (const { question } of [grace, fast1])
        await question('Is it time?').getByText('1 yes · 1 no').waitFor()
      assert.equal(await fast1.incoming.count(), 0)

      await fast1.page.getByRole('button', { name: 'Clear' }).click()
      await fast1.page
        .getByText('needs the Django permission chat.delete_line, which fast1 does not have')
        .waitFor()
      assert.equal(await grace.lines.getByText('hello').count(), 1)
      await grace.page.getByRole('button', { name: 'Clear' }).click()
      for (const { lines } of [grace, fast1])
        await lines.getByText('grace cleared the conversation.').waitFor()

      await fast1.page.getByRole('button', { name: 'Log out' }).click()
      await fast1.page.getByRole('heading', { name: 'Log in' }).waitFor()
      await grace.people.getByText('fast1').waitFor({ state: 'detached' })
      for (const visitor of [grace, fast1]) await visitor.close()
    })

    test('a page that goes away leaves the room, and the question that it was asked', async () => {
      const fast1 = await enter('fast1')
      const fast2 = await enter('fast2')
      await fast1.ask('Still there?')
      await fast2.incoming.waitFor()
      await fast2.close()
      await fast1.question('Still there?').getByText('has left').waitFor()
      await fast1.people.getByText('fast2').waitFor({ state: 'detached' })
      await fast1.close()
    })

    test('the keyboard is enough, and an answer leaves the focus where the question was', async () => {
      const visitor = await openVisitor(browser, demo.url)
      const { keyboard } = visitor.page
      await visitor.page.locator('input[name=username]:focus').waitFor()
      await keyboard.type('fast2')
      await keyboard.press('Tab')
      await keyboard.type(passwordOf('fast2'))
      await keyboard.press('Enter')
      await visitor.page.locator('.composer input:focus').waitFor()
      await keyboard.type('by hand')
      await keyboard.press('Enter')
      await visitor.lines.getByText('by hand').waitFor()
      await visitor.ask('Anybody?')
      await visitor.incoming.waitFor()
      await visitor.page.getByRole('button', { name: 'Yes' }).focus()
      await keyboard.press('Enter')
      await visitor.question('Anybody?').getByText('1 yes · 0 no').waitFor()
      await visitor.page.locator('.incoming-place:focus').waitFor({ state: 'attached' })
      await visitor.close()
    })

    test('a wrong password and an inactive user are told the same', async () => {
      const visitor = await openVisitor(browser, demo.url)
      const words = []
      for (const [username, password] of [
        ['fast1', 'not it'],
        ['nobody at all', 'not it'],
        ['mallory', passwordOf('mallory')],
      ] as const) {
        await visitor.login(username, password)
        words.push(await visitor.trouble.innerText())
      }
      assert.deepEqual(new Set(words), new Set([words[0]]))
      assert.match(words[0]!, /user name or the password is wrong/)
      await visitor.close()
    })

    test('too many attempts at an account are told the seconds to wait; other accounts need not', async () => {
      const visitor = await openVisitor(browser, demo.url)
      const isLimited = async () =>
        /Too many attempts as fast3/.test(await visitor.trouble.innerText())
      do await visitor.login('fast3', 'not it')
      while (!(await isLimited()))
      assert.match(await visitor.trouble.innerText(), /Try again in \d+ s\./)
      assert.ok(
        await visitor.page.getByRole('button', { name: 'Log in', exact: true }).isDisabled(),
      )
      await visitor.login('fast1')
      await visitor.people.waitFor()
      await visitor.close()
    })

    test('an account is one click away', async () => {
      const visitor = await openVisitor(browser, demo.url)
      await visitor.page.getByRole('button', { name: 'linus plain user' }).click()
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

describe('the demo beside an existing database', needsChromium(), () => {
  test('a page sees the server go, cannot log in while it is away, and can when it is back', async (t) => {
    const postgres = await startPostgres()
    t.after(() => postgres.stop())
    await loadDjango(postgres.url)
    const env = { DATABASE_URL: postgres.url }
    const port = await findFreePort()
    let demo = await startDemo(env, port)
    t.after(() => demo.stop('SIGKILL'))
    assert.doesNotMatch(demo.output, /nanoseconds/)
    const browser = await launchChromium()
    t.after(() => browser.close())

    const visitor = await openVisitor(browser, demo.url)
    await visitor.login('fast1')
    await visitor.say('before')
    await demo.stop('SIGKILL')
    await visitor.page.getByText('The connection to the server is lost').waitFor()
    await visitor.page.getByRole('button', { name: 'Log in again' }).click()
    await visitor.login('fast1')
    assert.equal(await visitor.trouble.innerText(), 'The server does not answer. Is it running?')

    demo = await startDemo(env, port)
    await visitor.login('fast1')
    await visitor.say('after')
    await demo.stop('SIGTERM')
    await visitor.page.getByText('The server shut down.').waitFor()
    assert.equal(await visitor.page.getByText('Or come in as').count(), 0)
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
      // A container without IPv6, say: nothing can hold a port there, so there is nothing to be found taken.
      t.skip(`this machine has no ${host}: enable IPv6 on its loopback interface`)
      return
    }
    t.after(() => other.close())
    await assert.rejects(startDemo({}, port), /is taken/)
  })
}
