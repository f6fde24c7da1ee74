/**
 * Starts a real Redis for the tests, from the `redis-server` of this machine. Without it nothing shows that limits are shared
 * by two servers, and hold when their store goes away.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

export interface Redis {
  readonly port: number
  /** Stops the server; resolves when its process has gone. */
  stop(): Promise<void>
}

const PROGRAM = process.env['REDIS_SERVER'] ?? 'redis-server'

/** Why there is no Redis here, for node:test's `skip`; false: there is. */
export function whyNoRedis(): string | false {
  const { status } = spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' })
  if (status === 0) return false
  return 'needs redis-server, on Debian: apt-get install redis-server; REDIS_SERVER may name the program'
}

/** Starts a Redis on 127.0.0.1 that keeps nothing on disk; it ends with this process. `port`: the one of before, to come back. */
export async function startRedis(port?: number): Promise<Redis> {
  const listening = port ?? (await findFreePort())
  const server = spawn(
    PROGRAM,
    [
      ...['--port', String(listening), '--bind', '127.0.0.1'],
      ...['--save', '', '--appendonly', 'no', '--loglevel', 'notice', '--daemonize', 'no'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exited = once(server, 'exit')
  const end = (): void => {
    server.kill('SIGKILL')
  }
  process.once('exit', end)
  await Promise.race([
    readUntilReady(server.stdout),
    exited.then(() => {
      throw new Error(`${PROGRAM} ended before it was ready, on port ${String(listening)}`)
    }),
  ])
  return {
    port: listening,
    async stop() {
      process.off('exit', end)
      server.kill('SIGKILL')
      await exited
    },
  }
}

async function readUntilReady(output: NodeJS.ReadableStream): Promise<void> {
  let text = ''
  for await (const chunk of output) {
    text += String(chunk)
    if (text.includes('Ready to accept connections')) break
  }
  output.resume()
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  return port
}
