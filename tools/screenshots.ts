// Takes the pictures of the demo that the README shows, in docs/. Without it they would show a page that
// no longer exists.

import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { launchChromium } from '../test/support/chromium.js'
import { startDemo } from '../test/support/demo.js'
import { ACCOUNTS } from './postgres/accounts.js'

const MAX_BYTES = 250_000

const demo = await startDemo()
const browser = await launchChromium()
try {
  const [ada, grace, linus] = [await enter('ada'), await enter('grace'), await enter('linus')]
  await talk(ada, grace, linus)
  await ask(linus, 'Shall we have the compiler check the contracts, too?')
  await ada.getByRole('button', { name: 'Yes', exact: true }).click()
  await grace.getByText('1 yes · 0 no · 2 to come').waitFor()
  await shoot(grace, 'demo-light')
  await grace.emulateMedia({ colorScheme: 'dark' })
  await shoot(grace, 'demo-dark')
  await grace.emulateMedia({ colorScheme: 'light' })
  await grace.setViewportSize({ width: 390, height: 844 })
  await shoot(grace, 'demo-phone')
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
  await page.getByRole('heading', { name: 'Here now' }).waitFor()
  return page
}

async function talk(ada: Page, grace: Page, linus: Page): Promise<void> {
  await say(
    ada,
    'The engine has no pretensions to originate anything. It does what we order it to.',
  )
  await say(linus, 'Then order it to show me the code. Talk is cheap.')
  await say(grace, 'I have brought everybody a nanosecond: 30 cm of wire.')
  await say(grace, 'A call on the avatar is one message up, one message down.')
  await say(ada, 'A question goes the other way: the server awaits the answer of each page.')
  await ask(grace, 'Is it easier to ask forgiveness than permission?')
  await ada.getByRole('button', { name: 'No', exact: true }).click()
  await linus.getByRole('button', { name: 'Yes', exact: true }).click()
  await grace.getByRole('button', { name: 'Yes', exact: true }).click()
  await grace.getByText('2 yes · 1 no').waitFor()
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Say something').fill(text)
  await page.keyboard.press('Enter')
  await page.getByText(text).waitFor()
}

async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel('A question with yes or no').fill(text)
  await page.keyboard.press('Enter')
  await page.getByText('The server asks this page').waitFor()
}

async function shoot(page: Page, name: string): Promise<void> {
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
