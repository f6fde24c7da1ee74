/** The end of all sessions at once: what runs may end, every avatar is detached, and nobody waits for peers that are dead. */
import { Deadline } from '../deadline.js'
import { closing } from './endings.js'
import type { Entry, SessionRegistry } from './sessions.js'

/** Calls that run may end for so long. */
const DRAIN_MS = 5_000
const LOOK_MS = 20
/** `detached` and the peers' close frames may take so long; and with the calls before no longer than that in all. */
const END_MS = 5_000
const ALL_MS = 8_000

/** Ends every session; resolves when all have ended, or have had their time. */
export async function endSessions(registry: SessionRegistry): Promise<void> {
  const started = performance.now()
  const entries = registry.entries()
  const ending = closing(entries.length)
  for (const entry of entries) entry.drain()
  let running = entries
  while (running.length > 0) {
    const isTime = performance.now() - started >= DRAIN_MS
    const [idle, busy] = partition(running, (entry) => isTime || !isBusy(entry))
    for (const entry of idle) entry.end(ending)
    running = busy
    if (running.length > 0) await sleep(LOOK_MS)
  }
  const left = Math.min(END_MS, ALL_MS - (performance.now() - started))
  const deadline = new Deadline()
  const tooLong = new Promise<void>((resolve) => {
    deadline.start(left, resolve)
  })
  await Promise.race([Promise.all(entries.map((entry) => entry.over())), tooLong])
  deadline.stop()
}

/** Whether a call of the page's runs; one that is still on its way in has none that began. */
function isBusy({ open, stats }: Entry): boolean {
  return open !== null && stats !== null && stats.running > 0
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  const parts: [T[], T[]] = [[], []]
  for (const one of all) parts[isFirst(one) ? 0 : 1].push(one)
  return parts
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
