// The README's quick start in a browser: its server serves its page, and Django's users log in there.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { ACCOUNTS } from '../../tools/postgres/accounts.js'
import { loadDjango, startPostgres } from '../../tools/postgres/start.js'
import { launchChromium, needsChromium } from '../support/chromium.js'
import { readDocuments, removeDocuments, scriptOf, writeDocuments } from './documents.js'
import { startServer } from './processes.js'

/** What the quick start tells its reader to open; the only origin that it allows. */
const ADDRESS = 'http://localhost:3000'

test('the quick start: its page, as a reader opens it', needsChromium(), async (t) => {
  const documents = await readDocuments('quick-start-page')
  t.after(() => removeDocuments('quick-start-page'))
  await writeDocuments(documents)
  const readme = documents.find(({ path }) => path === 'README.md')
  const page = readme?.blocks.find(({ name }) => name === 'page.html')
  assert.ok(readme && page)
  const folder = await mkdtemp(join(tmpdir(), 'perspective-page-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'page.html'), page.code)

  const postgres = await startPostgres()
  t.after(() => postgres.stop())
  await loadDjango(postgres.url)
  const server = await startServer([scriptOf(readme, 'server.ts')], postgres.url, folder)
  t.after(() => server.stop())
  // Another test may have port 3000: the browser finds the server at its own, and the page's origin is what a reader has.
  const { port } = new URL(server.url)
  const browser = await launchChromium({
    args: [`--host-resolver-rules=MAP localhost:3000 localhost:${port}`],
  })
  t.after(() => browser.close())

  const open = async (): Promise<Page> => {
    const opened = await browser.newPage()
    await opened.goto(ADDRESS)
    return opened
  }
  const [grace, fast] = [await open(), await open()]
  const asked: string[] = []
  grace.on('dialog', (dialog) => {
    asked.push(dialog.message())
    void dialog.accept()
  })

  await enter(fast, 'fast1', 'wrong')
  await fast.getByText('The user name or the password is wrong.').waitFor()
  await enter(grace, 'grace')
  await grace.getByText('grace: hello').waitFor()
  await enter(fast, 'fast1')
  await fast.getByText('Hello, fast1').waitFor()
  await grace.getByText('fast1: hello').waitFor()
  await fast.getByText('wipe: requires the permission chat.delete_line').waitFor()
  assert.deepEqual(asked, ['Really wipe all boards?'])
})

async function enter(page: Page, username: string, password?: string): Promise<void> {
  const account = ACCOUNTS.find((one) => one.username === username)
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password').fill(password ?? account?.password ?? '')
  await page.keyboard.press('Enter')
}
