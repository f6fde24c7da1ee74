// The soak: a server with everything real in it, under a load that never does the same twice. What must hold at its end is
// measured here and judged by whoever runs it: soak.test.ts for seconds, `npm run soak` for minutes.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Fastify from 'fastify'
import perspective from 'fastify-perspective'
import { loadDjango, startPostgres } from '../../tools/postgres/start.js'
import { WIDE, until } from '../plugin/start-app.js'
import { Census, SoakedAvatar, sharedScore } from './avatar.js'
import type { LoadReport } from './contract.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

export interface SoakReport extends LoadReport {
  readonly seconds: number
  readonly attached: number
  readonly detached: number
  /** Avatars made and never detached. */
  readonly alive: number
  readonly reasons: Readonly<Record<string, number>>
  /** MiB after collections, evenly spread over the run; the first is taken when it has warmed up. */
  readonly heap: readonly number[]
  readonly left: {
    readonly sessions: number
    readonly slots: number
    readonly connections: number
    /** Avatars that the collector has not taken. */
    readonly avatars: number
    /** Handles and timers beyond those of the idle server before. */
    readonly resources: readonly string[]
  }
}

/** Runs it for so many seconds with so many pages at once. */
export async function soak(seconds: number, lanes: number): Promise<SoakReport> {
  const postgres = await startPostgres()
  await loadDjango(postgres.url)
  const census = new Census()
  const unhandled: string[] = []
  const onUnhandled = (error: unknown): void => void unhandled.push(`unhandled: ${String(error)}`)
  process.on('unhandledRejection', onUnhandled)
  const app = Fastify({ logger: { level: 'warn', stream: { write: () => undefined } } })
  await app.register(perspective, {
    database: postgres.url,
    ticket: { secret: 'a secret of the soak, and long enough for HS256' },
    allowedOrigins: [],
    realm: (session) => new SoakedAvatar(session, census),
    rateLimits: WIDE ?? {},
    passwordIterations: 1000,
    sessions: { perUser: 1000, perAddress: 1000 },
    // What is known of tokens is kept as long as they live: short, or a long run would be a measurement of that.
    renewal: { lifetimeSeconds: 20 },
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const { sessions } = app.perspective
  const slots = (): number => (sessions as unknown as { slots: number }).slots
  const before = process.getActiveResourcesInfo()

  const script = fileURLToPath(new URL('load.ts', import.meta.url))
  const child = fork(script, [url, String(seconds), String(lanes)], {
    execArgv: ['--import', 'tsx'],
  })
  const told = once(child, 'message') as Promise<[LoadReport]>
  const exited = once(child, 'exit')
  const heap: number[] = []
  const started = performance.now()
  const sample = setInterval(
    () => {
      if (performance.now() - started < seconds * 200) return
      collectGarbage()
      heap.push(process.memoryUsage().heapUsed / 2 ** 20)
    },
    (seconds * 1000) / 40,
  )
  const [load] = await Promise.race([
    told,
    exited.then((): never => {
      throw new Error('the load has ended without a word')
    }),
  ])
  clearInterval(sample)
  await exited

  await until(() => slots() === 0 && census.alive === 0, 'the last session', 15_000).catch(
    () => undefined,
  )
  // A dead page's keep-alive connections end with its process; finalizers run some turns after a collection.
  for (let turn = 0; turn < 20; turn++) {
    collectGarbage()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const connections = await new Promise<number>((resolve) => {
    app.server.getConnections((_error, count) => {
      resolve(count)
    })
  })
  const left = {
    sessions: sessions.count,
    slots: slots(),
    connections,
    avatars: census.made - census.collected,
    resources: beyond(process.getActiveResourcesInfo(), before),
  }
  await app.close()
  await postgres.stop()
  process.off('unhandledRejection', onUnhandled)
  if (sharedScore.isShown) unhandled.push('the shared score is still shown to somebody')
  return {
    ...load,
    seconds,
    faults: [...load.faults, ...census.faults, ...unhandled],
    attached: census.attached,
    detached: census.detached,
    alive: census.alive,
    reasons: census.reasons,
    heap,
    left,
  }
}

/** What is there now and was not before; connections to the database and the threads of the hashers stay. */
function beyond(now: readonly string[], before: readonly string[]): string[] {
  const rest = [...before]
  return now.filter((name) => {
    const at = rest.indexOf(name)
    if (at >= 0) rest.splice(at, 1)
    return at < 0 && !['TCPSocketWrap', 'TCPSOCKETWRAP', 'MessagePort', 'Worker'].includes(name)
  })
}

/** What of a report must not be; empty where all is well. */
export function problemsOf(report: SoakReport): string[] {
  const { left, heap } = report
  const third = Math.floor(heap.length / 3)
  const [first, last] = [median(heap.slice(0, third)), median(heap.slice(-third))]
  const problems = [
    ...report.faults,
    report.attached !== report.detached &&
      `attached ${String(report.attached)} times, detached ${String(report.detached)}`,
    report.attached === 0 && 'nothing has happened',
    report.alive !== 0 && `avatars that were never detached: ${String(report.alive)}`,
    left.sessions + left.slots + left.connections !== 0 && `left: ${JSON.stringify(left)}`,
    left.resources.length > 0 && `handles left: ${left.resources.join(', ')}`,
    left.avatars > 5 && `avatars that are still held: ${String(left.avatars)}`,
    last > first * 1.15 + 4 &&
      `heap grown from ${first.toFixed(1)} to ${last.toFixed(1)} MiB (medians of the first and the last third)`,
  ]
  return problems.filter((problem) => typeof problem === 'string')
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? 0
}
