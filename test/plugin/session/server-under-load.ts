/** A server of its own process, for `shutdown-process.test.ts`: it closes at SIGTERM, and says what became of its avatars. */
import dns from 'node:dns'
import { setTimeout } from 'node:timers/promises'
import Fastify from 'fastify'
import perspective, { Avatar, type DetachReason, unchecked } from 'fastify-perspective'

const counts = { attached: 0, detached: 0, detachedTwice: 0, ended: 0, cut: 0 }
const reasons = new Map<string, number>()
process.on('unhandledRejection', (error) => {
  console.log(`unhandled ${String(error)}`)
})

class BusyAvatar extends Avatar {
  static readonly remote = { work: unchecked, ping: true } as const
  #isDetached = false
  override attached(): void {
    counts.attached += 1
  }
  override detached({ code }: DetachReason): void {
    counts[this.#isDetached ? 'detachedTwice' : 'detached'] += 1
    this.#isDetached = true
    reasons.set(code, (reasons.get(code) ?? 0) + 1)
  }
  /** Runs for so long, and throws if its page goes meanwhile: when nobody listens any more. */
  async work(ms: number): Promise<string> {
    try {
      await setTimeout(ms, undefined, { signal: this.session.signal })
    } catch (error) {
      counts.cut += 1
      throw error
    }
    counts.ended += 1
    return 'done'
  }
  ping(): string {
    return 'pong'
  }
}

// A machine whose hosts file names one address only is told both.
const { lookup } = dns
Object.assign(dns, {
  lookup: (name: string, ...rest: [dns.LookupAllOptions, (error: null, all: object[]) => void]) => {
    const [options, answer] = rest
    if (name !== 'localhost' || options.all !== true)
      return Reflect.apply(lookup, dns, [name, ...rest])
    return process.nextTick(answer, null, [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ])
  },
})

const app = Fastify()
await app.register(perspective, {
  database: process.env['DATABASE_URL'],
  ticket: { secret: 'a secret of the tests, and long enough for HS256' },
  allowedOrigins: [],
  realm: (session) => new BusyAvatar(session),
  sessions: { perUser: 1000 },
  rateLimits: { addressPerMinute: 10_000, accountPer5Minutes: 10_000, accountPerHour: 10_000 },
})
process.once('SIGTERM', () => {
  const started = performance.now()
  void app.close().then(() => {
    const tookMs = Math.round(performance.now() - started)
    console.log(JSON.stringify({ ...counts, reasons: Object.fromEntries(reasons), tookMs }))
  })
})
console.log(await app.listen({ port: 0, host: process.env['HOST'] ?? '127.0.0.1' }))
