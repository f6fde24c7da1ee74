// `npm run demo:django` in a real Chromium: a page that a real Django renders, whose session cookie opens the socket.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { whyNot } from '../django/real-django.js'
import { launchChromium, needsChromium } from '../support/chromium.js'
import { type Demo, findFreePort, startDemo } from '../support/demo.js'
import { passwordOf } from './visitor.js'

const launcher = 'tools/demo-django.mjs'

describe('a page rendered by Django', { skip: whyNot('5.2') || needsChromium().skip }, () => {
  let demo: Demo, browser: Browser, site: string

  before(async () => {
    const port = await findFreePort()
    site = `http://127.0.0.1:${port}`
    demo = await startDemo({ DJANGO_PORT: String(port) }, undefined, launcher)
    browser = await launchChromium()
  })
  after(async () => {
    await browser.close()
    // Not SIGKILL: Django is a process of its own.
    await demo.stop('SIGTERM')
  })

  /** A browser of its own, and what its pages complained of. */
  async function openBrowser() {
    const context = await browser.newContext()
    const complaints: string[] = []
    context.on('weberror', (error) => complaints.push(String(error.error())))
    context.on('console', (message) => {
      // What a browser says by itself about an answer of 401 is no mistake of the page.
      const isOfBrowser = message.text().startsWith('Failed to load resource')
      if (message.type() === 'error' && !isOfBrowser) complaints.push(message.text())
    })
    return { context, complaints }
  }

  /** On Django's own form; whatever page was asked for comes after it. */
  async function logIn(page: Page, username: string) {
    await page.getByLabel('Username').fill(username)
    await page.getByLabel('Password').fill(passwordOf(username))
    await page.getByRole('button', { name: 'Log in' }).click()
  }

  test('prints both addresses and the accounts', () => {
    for (const address of [
      `${site}/`,
      `${site}/admin/`,
      `http://127.0.0.1:${demo.port}/perspective`,
    ])
      assert.ok(demo.output.includes(` ${address}\n`), address)
    for (const username of ['ada', 'linus'])
      assert.match(demo.output, new RegExp(`^ +${username} +${passwordOf(username)} `, 'm'))
  })

  test('calls the avatar and is called by it, until somebody logs out in another tab', async () => {
    const { context, complaints } = await openBrowser()
    const page = await context.newPage()
    await page.goto(site)
    assert.equal(new URL(page.url()).pathname, '/login/')
    await logIn(page, 'linus')
    await page.getByText('Django says that you are linus').waitFor()
    await page.getByText('connected as linus').waitFor()

    const second = await context.newPage()
    await second.goto(site)
    await second.getByText('connected as linus').waitFor()
    await page.getByLabel('What to say').fill('by <b>hand</b>')
    await page.getByRole('button', { name: 'Say' }).click()
    await page.getByText('heard on 2 pages').waitFor()
    await second.getByText('linus: by <b>hand</b>').waitFor()
    await page.locator('#seconds', { hasText: /^[2-9]$|^\d\d/ }).waitFor()

    await second.getByRole('button', { name: 'Log out' }).click()
    await second.getByLabel('Username').waitFor()
    await page.getByText('You are logged out of Django: the session has ended.').waitFor()
    assert.ok(await page.getByRole('button', { name: 'Say' }).isDisabled())
    await context.close()
    assert.deepEqual(complaints, [])
  })

  test('loses its session when the admin beside it switches the user off', async () => {
    const [member, admin] = [await openBrowser(), await openBrowser()]
    const page = await member.context.newPage()
    await page.goto(site)
    await logIn(page, 'linus')
    await page.getByText('connected as linus').waitFor()

    const table = await admin.context.newPage()
    await table.goto(`${site}/admin/auth/user/`)
    await logIn(table, 'ada')
    await table.getByRole('link', { name: 'linus' }).click()
    await table.getByLabel('Active').uncheck()
    await table.getByRole('button', { name: 'Save', exact: true }).click()
    await table.getByText('was changed successfully').waitFor()
    await page.getByText('the session has ended').waitFor()
    await page.reload()
    await page.getByLabel('Username').waitFor()
    for (const { context, complaints } of [member, admin]) {
      await context.close()
      assert.deepEqual(complaints, [])
    }
  })

  test('has no session without Django’s', async () => {
    const { context } = await openBrowser()
    const page = await context.newPage()
    await page.goto(`${site}/login/`)
    const status = await page.evaluate(async (url) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(url, {
        method: 'POST',
        credentials: 'include',
        headers,
        body: '{}',
      })
      return answer.status
    }, `http://127.0.0.1:${demo.port}/perspective/ticket`)
    assert.equal(status, 401)
    await context.close()
  })
})

test('without Python the launcher says how to get it', async () => {
  await assert.rejects(
    startDemo({ PATH: '', DJANGO_PORT: String(await findFreePort()) }, undefined, launcher),
    /code 1:[^]*needs Python 3\.10 or newer with venv; on Debian: apt-get install python3-venv/,
  )
})
