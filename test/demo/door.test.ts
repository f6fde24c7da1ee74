// The demo beside an existing database: the way in and out, a telephone's width, and the page without a bundler.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { loadDjango, type Postgres, startPostgres } from '../../tools/postgres/start.js'
import { launchChromium, needsChromium } from '../support/chromium.js'
import { type Demo, startDemo } from '../support/demo.js'
import { testPlain } from './plain-page.js'
import { openVisitor, passwordOf } from './visitor.js'

describe('the demo, beside an existing database', needsChromium(), () => {
  let postgres: Postgres, demo: Demo, browser: Browser
  const open = () => openVisitor(browser, demo.url)

  before(async () => {
    postgres = await startPostgres()
    await loadDjango(postgres.url)
    demo = await startDemo({ DATABASE_URL: postgres.url })
    browser = await launchChromium()
  })
  after(async () => {
    await browser.close()
    await demo.stop('SIGKILL')
    await postgres.stop()
  })

  test('tells nobody else’s passwords', async () => {
    assert.doesNotMatch(demo.output, /nanoseconds/)
    const visitor = await open()
    assert.equal(await visitor.page.getByText('Or come in as').count(), 0)
    await visitor.close()
  })

  test('the keyboard is enough to come in, and to go', async () => {
    const visitor = await open()
    const { keyboard } = visitor.page
    await visitor.page.locator('input[name=username]:focus').waitFor()
    await keyboard.type('fast1')
    await keyboard.press('Tab')
    await keyboard.type(passwordOf('fast1'))
    await keyboard.press('Enter')
    await visitor.people.getByText('fast1').waitFor()
    await visitor.page.getByRole('button', { name: 'Log out' }).focus()
    await keyboard.press('Enter')
    await visitor.page.getByRole('heading', { name: 'Log in' }).waitFor()
    assert.equal(await visitor.page.locator('.why').count(), 0)
    await visitor.close()
  })

  test('a wrong password and an inactive user are told the same', async () => {
    const visitor = await open()
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
    const visitor = await open()
    const isLimited = async () =>
      /Too many attempts as fast3/.test(await visitor.trouble.innerText())
    do await visitor.login('fast3', 'not it')
    while (!(await isLimited()))
    assert.match(await visitor.trouble.innerText(), /Try again in \d+ s\./)
    assert.ok(await visitor.page.getByRole('button', { name: 'Log in', exact: true }).isDisabled())
    await visitor.login('fast1')
    await visitor.people.waitFor()
    await visitor.close()
  })

  test('the page fits a telephone, in the dark too', async () => {
    const visitor = await openVisitor(browser, demo.url, {
      viewport: { width: 360, height: 740 },
      colorScheme: 'dark',
      hasTouch: true,
    })
    const { page } = visitor
    const isWide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
    assert.equal(await isWide(), false)
    await visitor.login('fast2')
    assert.equal(await isWide(), false)
    await visitor.press('Add a note')
    await visitor.note('Note by fast2').last().tap()
    await page.locator('.note-tools').getByRole('button', { name: 'Edit' }).last().tap()
    await page.locator('.note-editor').fill('a word without end'.replaceAll(' ', '-').repeat(5))
    await page.keyboard.press('Enter')
    await visitor.ask('a question without end'.replaceAll(' ', '-').repeat(5))
    await visitor.incoming.waitFor()
    assert.equal(await isWide(), false)
    await visitor.answer('Yes')
    await visitor.press('Export journal')
    await page.locator('.export').waitFor()
    assert.equal(await isWide(), false)
    await visitor.press('Cancel')

    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const dark = await ground()
    await page.getByRole('button', { name: 'Colours: system' }).click()
    assert.notEqual(await ground(), dark)
    await page.getByRole('button', { name: 'Colours: light' }).click()
    assert.equal(await ground(), dark)
    await visitor.close()
  })

  testPlain(() => ({ browser, url: demo.url }))
})
