/** Child processes of the manual's tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { root } from './documents.js'

/** Runs node to its end; `output` has both streams. */
export async function runNode(
  args: string[],
  env: NodeJS.ProcessEnv = {},
  cwd: string = root,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env } })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, output }
}

export interface StartedServer {
  readonly url: string
  stop(): Promise<void>
}

/** Starts a `server.ts` of the manual; resolves when it listens, rejects with its output if it ends before. */
export async function startServer(
  args: string[],
  databaseUrl: string,
  cwd: string = root,
): Promise<StartedServer> {
  const port = String(await freePort())
  const server = spawn(process.execPath, args, {
    cwd,
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      TICKET_SECRET: 'a-secret-of-the-manual-that-is-long-enough-for-HS256',
      SECRET_KEY: 'the key of the Django project of the manual',
      PORT: port,
    },
  })
  await heard(server, 'Server listening')
  return { url: `http://localhost:${port}`, stop: () => end(server) }
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
