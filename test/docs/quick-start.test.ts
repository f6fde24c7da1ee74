// The README's quick start does what it says: Django's users log in, and each side calls the other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Referenceable, login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { ACCOUNTS } from '../../tools/postgres/accounts.js'
import { loadDjango, startPostgres } from '../../tools/postgres/start.js'
import { readDocuments, removeDocuments, scriptOf, writeDocuments } from './documents.js'
import { startServer } from './processes.js'

interface Board extends Referenceable {
  rename(title: string): void
}
interface Chat {
  say(text: string): { at: Date }
  wipe(): void
  board(id: number): Board
}
interface ChatMind {
  welcome(name: string): void
  heard(from: string, text: string): void
  ask(question: string): boolean
}

test('the quick start: a Django user logs in, and each side calls the other', async (t) => {
  const script = await writeQuickStart(t)
  const postgres = await startPostgres()
  t.after(() => postgres.stop())
  await loadDjango(postgres.url)
  const server = await startServer([script], postgres.url)
  t.after(() => server.stop())

  const events: unknown[] = []
  const enter = (username: string) =>
    login<Chat, ChatMind>(
      `${server.url}/perspective`,
      {
        username,
        password: ACCOUNTS.find((account) => account.username === username)?.password ?? '',
      },
      {
        WebSocket,
        mind: {
          welcome: (name) => void events.push(['welcome', username, name]),
          heard: (from, text) => void events.push(['heard', username, from, text]),
          ask: (question) => {
            events.push(['ask', username, question])
            return true
          },
        },
      },
    )
  const grace = await enter('grace')
  const fast = await enter('fast1')
  assert.equal(grace.user.username, 'grace')
  const { at } = await fast.perspective.say('hello')
  assert.ok(at instanceof Date)
  await fast.perspective.board(1).rename('mine')
  // `chat.delete_line` is grace's through her group, and nobody else's here.
  await grace.perspective.wipe()
  await assert.rejects(fast.perspective.wipe(), { code: 'PB_ERR_CALL_DENIED' })
  // Two sockets: which page hears first is not said.
  const [first, second, ...said] = events.slice(2)
  assert.deepEqual(
    [...events.slice(0, 2), ...[first, second].sort(), ...said],
    [
      ['welcome', 'grace', 'grace'],
      ['welcome', 'fast1', 'fast1'],
      ['heard', 'fast1', 'fast1', 'hello'],
      ['heard', 'grace', 'fast1', 'hello'],
      ['ask', 'grace', 'Really wipe all boards?'],
    ],
  )
  await Promise.all([grace.logout(), fast.logout()])
})

async function writeQuickStart(t: { after(run: () => unknown): void }): Promise<string> {
  const documents = await readDocuments('quick-start')
  t.after(() => removeDocuments('quick-start'))
  await writeDocuments(documents)
  const readme = documents.find(({ path }) => path === 'README.md')
  assert.ok(readme)
  return scriptOf(readme, 'server.ts')
}
