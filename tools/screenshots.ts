// Takes the pictures of the demo that the README shows, in docs/. Without it they would show a page that
// no longer exists.

import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Locator, Page } from 'playwright-core'
import { launchChromium } from '../test/support/chromium.js'
import { startDemo } from '../test/support/demo.js'
import { ACCOUNTS } from './postgres/accounts.js'

const MAX_BYTES = 250_000

const demo = await startDemo()
const browser = await launchChromium()
try {
  const [ada, linus, grace] = [await enter('ada'), await enter('linus'), await enter('grace')]
  await drag(grace, noteOn(grace, 'projector'), 30, 60)
  await drag(linus, noteOn(linus, 'Keys'), -30, 30)
  await drag(linus, noteOn(linus, 'New members'), -10, 70)
  await linus.getByLabel('A question with yes or no').fill('Shall we meet on Thursdays?')
  await linus.keyboard.press('Enter')
  await ada.getByRole('button', { name: 'Yes', exact: true }).click()
  await grace.getByRole('dialog').getByRole('button', { name: 'Yes', exact: true }).click()
  await linus.getByText('2 yes · 0 no · 1 to come').waitFor()
  const pointing: [Page, string][] = [
    [ada, 'observatory'],
    [grace, 'projector'],
  ]
  await shoot(linus, 'demo-light', 'light', pointing)
  await shoot(linus, 'demo-dark', 'dark', pointing)
  await linus.setViewportSize({ width: 390, height: 844 })
  await shoot(linus, 'demo-phone', 'light', pointing)
} finally {
  await browser.close()
  await demo.stop()
}

async function enter(username: string): Promise<Page> {
  const viewport = { width: 1280, height: 800 }
  const page = await browser.newPage({ viewport, colorScheme: 'light', reducedMotion: 'reduce' })
  await page.goto(demo.url)
  const account = ACCOUNTS.find((one) => one.username === username)
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password').fill(account?.password ?? '')
  await page.getByRole('button', { name: 'Log in', exact: true }).click()
  await page.getByRole('heading', { name: 'The board' }).waitFor()
  return page
}

function noteOn(page: Page, text: string): Locator {
  return page.getByRole('article', { name: text })
}

async function drag(page: Page, note: Locator, byX: number, byY: number): Promise<void> {
  const { x, y } = await middleOf(note)
  await page.mouse.move(x, y)
  await page.mouse.down()
  await page.mouse.move(x + byX, y + byY, { steps: 25 })
  await page.mouse.up()
}

async function middleOf(note: Locator): Promise<{ x: number; y: number }> {
  const box = await note.boundingBox()
  if (box === null) throw new Error('The note is not to be seen.')
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}

/** With the pointers of the others, which are gone after some seconds. */
async function shoot(
  page: Page,
  name: string,
  colorScheme: 'light' | 'dark',
  pointing: [Page, string][],
): Promise<void> {
  await page.emulateMedia({ colorScheme })
  for (const [other, text] of pointing) {
    const { x, y } = await middleOf(noteOn(other, text))
    await other.mouse.move(x - 60, y + 60)
    await other.mouse.move(x - 30, y + 45, { steps: 3 })
  }
  const path = fileURLToPath(new URL(`../docs/${name}.png`, import.meta.url))
  // Neither the mouse nor the focus of the last click belongs in the picture.
  await page.mouse.move(0, 0)
  await page.evaluate(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
  })
  await page.screenshot({ path, caret: 'hide', animations: 'disabled' })
  const { size } = statSync(path)
  console.log(`docs/${name}.png: ${size} bytes`)
  if (size > MAX_BYTES)
    throw new Error(`${name}.png: expected at most ${MAX_BYTES} bytes, got ${size}`)
}
