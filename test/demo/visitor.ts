// One visitor of the demo: a page of its own browser context, and the places on it.

import assert from 'node:assert/strict'
import type { Browser, Locator, Page } from 'playwright-core'
import { ACCOUNTS } from '../../tools/postgres/accounts.js'

export interface Visitor {
  readonly page: Page
  readonly people: Locator
  readonly lines: Locator
  readonly incoming: Locator
  readonly trouble: Locator
  /** One of the questions and its answers. */
  readonly question: (text: string) => Locator
  /** Fills in the card and sends it; resolves when the visitor is in the room, or is told why not. */
  login(username: string, password?: string): Promise<void>
  say(text: string): Promise<void>
  ask(text: string): Promise<void>
  answer(word: 'Yes' | 'No'): Promise<void>
  /** Closes the page; it must have kept to its server and to its content security policy. */
  close(): Promise<void>
}

export async function openVisitor(browser: Browser, url: string): Promise<Visitor> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url) complaints.push(`request to ${request.url()}`)
  })
  await page.goto(url)
  const people = page.getByRole('complementary', { name: 'Here now' })
  const lines = page.getByRole('log')
  const incoming = page.locator('.incoming')
  const trouble = page.locator('.trouble:not(:empty)')

  return {
    ...{ page, people, lines, incoming, trouble },
    question: (text) => page.locator('.question', { hasText: text }),
    async login(username, password = passwordOf(username)) {
      await page.getByLabel('User name').fill(username)
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Log in', exact: true }).click()
      await page.getByText('Checking the password').waitFor({ state: 'detached' })
      await people.or(trouble).first().waitFor()
    },
    async say(text) {
      await page.getByLabel('Say something').fill(text)
      await page.getByRole('button', { name: 'Say', exact: true }).click()
      await lines.getByText(text).waitFor()
    },
    async ask(text) {
      await page.getByLabel('A question with yes or no').fill(text)
      await page.getByRole('button', { name: 'Ask', exact: true }).click()
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
