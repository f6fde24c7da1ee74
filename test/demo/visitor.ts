// One visitor of the demo: a page of its own browser context, and the places on it.

import assert from 'node:assert/strict'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { ACCOUNTS } from '../../tools/postgres/accounts.js'

export interface Visitor {
  readonly page: Page
  readonly people: Locator
  readonly notes: Locator
  readonly pointers: Locator
  readonly incoming: Locator
  readonly notice: Locator
  readonly trouble: Locator
  readonly tally: Locator
  readonly wire: Locator
  /** One of the notes, by its text or whose it is. */
  readonly note: (text: string) => Locator
  /** Where a note is, in thousandths of its way from the left and the top. */
  placeOf(text: string): Promise<[number, number]>
  /** Fills in the card and sends it; resolves when the visitor is in the club, or is told why not. */
  login(username: string, password?: string): Promise<void>
  press(name: string): Promise<void>
  /** Drags a note by the mouse, by pixels. */
  drag(text: string, byX: number, byY: number): Promise<void>
  ask(text: string): Promise<void>
  answer(word: 'Yes' | 'No'): Promise<void>
  /** Closes the page; it must have kept to its server and to its content security policy, and logged no error. */
  close(): Promise<void>
}

export async function openVisitor(
  browser: Browser,
  url: string,
  options?: BrowserContextOptions,
): Promise<Visitor> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    // What a browser says by itself about an answer of 401 is no mistake of the page.
    const isOfBrowser = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !isOfBrowser) complaints.push(message.text())
  })
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== url && protocol !== 'blob:') complaints.push(`request to ${request.url()}`)
  })
  await page.goto(url)
  const people = page.getByRole('list', { name: 'Here now' })
  const trouble = page.locator('.trouble:not(:empty)')
  const incoming = page.locator('.incoming')
  const note = (text: string) => page.getByRole('article', { name: text })
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click()

  return {
    ...{ page, people, trouble, incoming, note, press },
    notes: page.getByRole('article'),
    pointers: page.locator('.pointer'),
    notice: page.locator('.notice:not(:empty)'),
    tally: page.locator('.answers-tally'),
    wire: page.getByRole('list', { name: 'Frames in words' }),
    async placeOf(text) {
      const [x, y] = await note(text).evaluate(({ style }) => [
        Number(style.getPropertyValue('--x')),
        Number(style.getPropertyValue('--y')),
      ])
      return [x ?? NaN, y ?? NaN]
    },
    async login(username, password = passwordOf(username)) {
      await page.getByLabel('User name').fill(username)
      await page.getByLabel('Password').fill(password)
      await press('Log in')
      await page.getByText('Checking the password').waitFor({ state: 'detached' })
      await people.or(trouble).first().waitFor()
    },
    async drag(text, byX, byY) {
      const box = await note(text).boundingBox()
      assert.ok(box !== null, `no note "${text}"`)
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
      await page.mouse.move(x, y)
      await page.mouse.down()
      await page.mouse.move(x + byX, y + byY, { steps: 10 })
      await page.mouse.up()
    },
    async ask(text) {
      await page.getByLabel('A question with yes or no').fill(text)
      await press('Ask')
    },
    answer: (word) => incoming.getByRole('button', { name: word, exact: true }).click(),
    async close() {
      await context.close()
      assert.deepEqual(complaints, [])
    },
  }
}

export function passwordOf(username: string): string {
  return ACCOUNTS.find((account) => account.username === username)?.password ?? ''
}
