// Starts a demo the way `npm run demo` and `npm run demo:django` do, on a free port of this machine.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

const projectFolder = fileURLToPath(new URL('../../', import.meta.url))

export interface Demo {
  /** `http://localhost:<port>` */
  readonly url: string
  readonly port: number
  /** What it has printed so far. */
  readonly output: string
  /** Sends a signal, Ctrl-C's unless said; answers the exit code when the process has ended. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/**
 * Starts the demo, or that of another launcher, and waits until it has said where it is, and who can log in.
 *
 * @throws Error - it ended instead; with its output.
 */
export async function startDemo(
  env: NodeJS.ProcessEnv = {},
  port?: number,
  launcher = 'tools/demo.mjs',
): Promise<Demo> {
  const chosenPort = port ?? (await findFreePort())
  const url = `http://localhost:${chosenPort}`
  const child = spawn(process.execPath, [launcher], {
    cwd: projectFolder,
    // Whoever runs the tests may have a database of their own in mind for something else.
    env: { ...process.env, DATABASE_URL: '', ...env, PORT: String(chosenPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const closed = once(child, 'close') as Promise<[number | null]>
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += String(chunk)
        if (output.includes('Ctrl-C ends')) resolve()
      })
    }
    child.once('close', (code) => {
      reject(new Error(`The demo ended with code ${String(code)}:\n${output}`))
    })
  })
  return {
    url,
    port: chosenPort,
    get output() {
      return output
    },
    stop: (signal = 'SIGINT') => end(child, closed, signal),
  }
}

async function end(
  child: ChildProcess,
  closed: Promise<[number | null]>,
  signal: NodeJS.Signals,
): Promise<number | null> {
  child.kill(signal)
  const [code] = await closed
  return code
}

export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
