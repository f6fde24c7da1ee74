/** A storm of logins: what the event loop and those who are in already have of it. */
import { Agent } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { inParallel } from './parallel.js'
import { AT_ONCE, LINUS, type Site, fail } from './site.js'

export interface Storm {
  /** The 99th percentiles. */
  readonly delayMs: number
  readonly callMs: number
}

export interface Sky {
  /** Logins that wait or are worked on, all the time. */
  readonly queued: number
  /** Open sessions, each of which makes a call every few ms. */
  readonly pages: number
  readonly seconds: number
}

export async function weather(site: Site, { queued, pages, seconds }: Sky): Promise<Storm> {
  const tickets = await site.mint(pages)
  const sessions = await inParallel(pages, AT_ONCE, (index) => site.open(tickets[index]!))
  const over = new AbortController()
  const agent = new Agent({ keepAlive: true })
  const logins = Array.from({ length: queued }, () => keepLoggingIn(site, agent, over.signal))
  const latencies: number[] = []
  const end = performance.now() + seconds * 1000
  await site.server.ask('watchDelays')
  const calls = sessions.map(async ({ avatar }, index) => {
    for (let n = index; performance.now() < end; n++) {
      const begin = performance.now()
      const answer = await avatar.echo({ n })
      latencies.push(performance.now() - begin)
      if ((answer as { n: unknown }).n !== n) fail(`call ${String(n)}`, answer)
      await setTimeout(5)
    }
  })
  await Promise.race([Promise.all(calls), ...logins])
  const { p99 } = (await site.server.ask('delays')) as { p99: number }
  over.abort()
  await Promise.all(logins)
  agent.destroy()
  for (const session of sessions) void session.close()
  await site.settle()
  latencies.sort((left, right) => left - right)
  return { delayMs: p99, callMs: latencies[Math.floor(latencies.length * 0.99)]! }
}

/** One login after the other; where the queue is full, again a little later. Rejects for any other answer. */
async function keepLoggingIn(site: Site, agent: Agent, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const answer = await site.login(LINUS, agent, signal)
      if (answer.status === 200) continue
      if (answer.body.code !== 'PB_ERR_LOGIN_BUSY') fail('a ticket, or a full queue', answer)
      await setTimeout(100, undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}
