import { fork } from 'node:child_process'
import { once } from 'node:events'

/** A server's process, as the client's sees it. */
export interface ServerProcess {
  /** What it said when it was there: the ports that it listens on. */
  readonly ports: Readonly<Record<string, number>>
  /** Rejects if the process ends before it is told to. */
  readonly failed: Promise<never>
  /** Has one of its commands done; see `answerCommands`. */
  ask(command: string, argument?: unknown): Promise<unknown>
  stop(): Promise<void>
}

interface Question {
  readonly id: number
  readonly command: string
  readonly argument: never
}
type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string })

/**
 * Starts a server's process and waits until it listens. However this process ends, the other sees the channel
 * close and ends too. A profiler asked for here (`--cpu-prof`) is there as well: fork hands our options down.
 */
export async function startServer(
  script: string,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<ServerProcess> {
  const child = fork(script, args, { execArgv: [...process.execArgv, ...flags, '--import', 'tsx'] })
  let isStopped = false
  const failed = new Promise<never>((_resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (!isStopped) reject(new Error(`the server's process ended: ${String(signal ?? code)}`))
    })
  })
  failed.catch(() => undefined)
  const [ports] = (await Promise.race([once(child, 'message'), failed])) as [ServerProcess['ports']]
  const waiting = new Map<number, (answer: Answer) => void>()
  let lastId = 0
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  })
  return {
    ports,
    failed,
    ask: async (command, argument) => {
      const id = ++lastId
      const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve))
      child.send({ id, command, argument })
      const answer = await Promise.race([answered, failed])
      if ('error' in answer) throw new Error(`${command}: ${answer.error}`)
      return answer.result
    },
    stop: async () => {
      isStopped = true
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

/** The other end of `ask`, in the server's process. */
export function answerCommands(
  commands: Readonly<Record<string, (argument: never) => unknown>>,
): void {
  process.on('message', ({ id, command, argument }: Question) => {
    const done = Promise.resolve().then(() => commands[command]!(argument))
    done.then(
      (result) => process.send!({ id, result }),
      (error: unknown) => process.send!({ id, error: String(error) }),
    )
  })
}
