/** Pages that all hear what the server says; every one of them has to hear it, and right, before the next is said. */
import { OURS } from '../contenders/index.js'
import { inParallel } from './parallel.js'
import type { Running } from './rows.js'
import { AT_ONCE, type Site, fail } from './site.js'

const HOWS = { [OURS]: 'set', 'tell in a loop': 'each', 'socket.io room': 'room' } as const
type How = (typeof HOWS)[keyof typeof HOWS]

/** A broadcast that somebody has not heard after so long is lost. */
const LATE_MS = 20_000

export interface Audience {
  /** Broadcasts a second, from the server's saying it to the last one's hearing it. */
  rate(how: How, seconds: number): Promise<number>
  /** The server's processor time for one broadcast, in ms. */
  cost(how: How, seconds: number): Promise<number>
  running(measure: (how: How) => Promise<number>): Running
}

export async function openAudience(site: Site, size: number): Promise<Audience> {
  let said = 0
  let missing = 0
  let allHeard: () => void = () => undefined
  let wrong: (value: unknown) => void = () => undefined
  const heard = (value: unknown): void => {
    const { n, text, isOn } = value as { n: unknown; text: unknown; isOn: unknown }
    if (n !== said || text !== 'hello' || isOn !== true) wrong(value)
    else if (--missing === 0) allHeard()
  }
  const tickets = await site.mint(size)
  const listeners = await inParallel(size, AT_ONCE, async (index) => [
    await site.open(tickets[index]!, heard),
    await site.enterRoom(heard),
  ])
  const gathered = await site.server.ask('gather')
  if (gathered !== size) fail(`${String(size)} minds`, gathered)

  async function broadcast(how: How): Promise<void> {
    said += 1
    missing = size
    let timer: NodeJS.Timeout | undefined
    const done = new Promise<void>((resolve, reject) => {
      allHeard = resolve
      wrong = (value) =>
        reject(new Error(`expected ${String(said)}, heard ${JSON.stringify(value)}`))
      timer = setTimeout(() => reject(new Error(`${String(missing)} heard nothing`)), LATE_MS)
    })
    await Promise.all([
      site.server.ask('broadcast', { how, value: { n: said, text: 'hello', isOn: true } }),
      done,
    ])
    clearTimeout(timer)
  }

  async function rate(how: How, seconds: number): Promise<number> {
    const begin = performance.now()
    let count = 0
    do {
      await broadcast(how)
      count += 1
    } while (performance.now() < begin + seconds * 1000)
    return (count * 1000) / (performance.now() - begin)
  }

  return {
    rate,
    cost: async (how, seconds) => {
      const [first, before] = [said, (await site.server.ask('cpuMs')) as number]
      await rate(how, seconds)
      return (((await site.server.ask('cpuMs')) as number) - before) / (said - first)
    },
    running: (measure) => ({
      measures: Object.fromEntries(
        Object.entries(HOWS).map(([name, how]) => [name, () => measure(how)]),
      ),
      end: async () => {
        for (const listener of listeners.flat()) void listener.close()
        await site.settle()
      },
    }),
  }
}
