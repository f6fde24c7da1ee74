// The page without a bundler, beside the one with: the same server, the same board.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Browser } from 'playwright-core'
import { openVisitor, passwordOf } from './visitor.js'

export function testPlain(place: () => { readonly browser: Browser; readonly url: string }): void {
  test('a plain page with the served client shares the board', async () => {
    const { browser, url } = place()
    const visitor = await openVisitor(browser, url)
    await visitor.login('fast1')
    const context = await browser.newContext({ viewport: { width: 360, height: 740 } })
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(`${url}/plain.html`)
    await page.getByLabel('User name').fill('fast2')
    await page.getByLabel('Password').fill(passwordOf('fast2'))
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('You are fast2.').waitFor()
    await page.getByText('fast1, fast2').waitFor()

    await page.getByRole('button', { name: 'Add a note' }).click()
    await visitor.note('Note by fast2: empty').waitFor()
    const [x] = await visitor.placeOf('Note by fast2: empty')
    const item = page.getByRole('listitem').filter({ hasText: 'fast2: (empty)' })
    await item.getByRole('button', { name: 'Move right' }).click()
    await item.getByText(`at ${Math.min(1000, x + 50)},`).waitFor()
    assert.equal((await visitor.placeOf('Note by fast2: empty'))[0], Math.min(1000, x + 50))

    await visitor.ask('Plain enough?')
    const question = page.getByRole('dialog', { name: 'fast1 asks: Plain enough?' })
    await question.getByRole('button', { name: 'Yes' }).click()
    await visitor.tally.getByText('1 yes · 0 no · 1 to come').waitFor()
    await visitor.press('Take back')
    await item.getByRole('button', { name: 'Delete' }).click()
    await visitor.note('Note by fast2: empty').waitFor({ state: 'detached' })
    assert.equal(
      await page.evaluate(() => document.documentElement.scrollWidth > innerWidth),
      false,
    )
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByText('You are logged out.').waitFor()
    await context.close()
    assert.deepEqual(complaints, [])
    await visitor.close()
  })
}
