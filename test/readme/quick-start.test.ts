// The README's quick start is code: it is taken out of the page, compiled as a user would, and run.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Referenceable, login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { ACCOUNTS } from '../../tools/postgres/accounts.js'
import { loadDjango, startPostgres } from '../../tools/postgres/start.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
// Inside the project: the package resolves by its own name, and zod and Fastify from node_modules.
const folder = join(root, 'test/readme/.quick-start')
const require = createRequire(import.meta.url)

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

before(async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const [, name, code] of readme.matchAll(/```ts\n\/\/ ([\w-]+\.ts)\n([\s\S]*?)```/g)) {
    await writeFile(join(folder, name ?? ''), code ?? '')
  }
  const shared = {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  }
  const programs = {
    'tsconfig.server.json': {
      compilerOptions: { ...shared, types: ['node'] },
      files: ['server.ts', 'club.ts'],
    },
    'tsconfig.page.json': {
      compilerOptions: { ...shared, types: [], lib: ['ES2022', 'DOM'] },
      files: ['page.ts', 'club-page.ts'],
    },
  }
  for (const [name, config] of Object.entries(programs)) {
    await writeFile(join(folder, name), JSON.stringify(config))
  }
})

after(() => rm(folder, { recursive: true, force: true }))

describe('the quick start of the README', () => {
  for (const program of ['server', 'page']) {
    test(`compiles: ${program}.ts`, async () => {
      const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
      const { code, output } = await run([tsc, '-p', join(folder, `tsconfig.${program}.json`)])
      assert.equal(code, 0, output)
    })
  }

  test('runs: a Django user logs in, and each side calls the other', async (t) => {
    const postgres = await startPostgres()
    t.after(() => postgres.stop())
    await loadDjango(postgres.url)
    const port = await freePort()
    const server = spawn(process.execPath, ['--import', 'tsx', join(folder, 'server.ts')], {
      cwd: root,
      env: {
        ...process.env,
        DATABASE_URL: postgres.url,
        TICKET_SECRET: 'a secret of the quick start, long enough for HS256',
        PORT: String(port),
      },
    })
    t.after(() => end(server))
    await heard(server, 'Server listening')

    const events: unknown[] = []
    const enter = (username: string) =>
      login<Chat, ChatMind>(
        `http://localhost:${String(port)}/perspective`,
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
})

async function run(args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, { cwd: root })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, output }
}

/** Waits for a line of the child's output; rejects with all of it if the child ends first. */
async function heard(child: ChildProcess, text: string): Promise<void> {
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const listen = (chunk: unknown): void => {
      output += String(chunk)
      if (output.includes(text)) resolve()
    }
    child.stdout?.on('data', listen)
    child.stderr?.on('data', listen)
    child.on('close', () => {
      reject(new Error(`ended before it said "${text}":\n${output}`))
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.on('close', resolve))
  child.kill('SIGKILL')
  await ended
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
