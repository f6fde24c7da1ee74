import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The server's process, as the client's sees it. */
export interface ServerProcess {
  readonly ports: Readonly<Record<string, number>>
  /** Rejects if the process ends before it is told to. */
  readonly failed: Promise<never>
  stop(): Promise<void>
}

/**
 * Starts the server's process and waits until it listens. However this process ends, the other sees the channel
 * close and ends too. A profiler asked for here (`--cpu-prof`) is there as well: fork hands our options down.
 */
export async function startServer(baseline: string | null): Promise<ServerProcess> {
  const script = fileURLToPath(new URL('server.ts', import.meta.url))
  const child = fork(script, baseline === null ? [] : [baseline], {
    execArgv: [...process.execArgv, '--import', 'tsx'],
  })
  let isStopped = false
  const failed = new Promise<never>((_resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (!isStopped) reject(new Error(`the server's process ended: ${String(signal ?? code)}`))
    })
  })
  failed.catch(() => undefined)
  const [ports] = (await Promise.race([once(child, 'message'), failed])) as [ServerProcess['ports']]
  return {
    ports,
    failed,
    stop: async () => {
      isStopped = true
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}
