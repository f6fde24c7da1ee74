/** Starts a Fastify app with the plugin on a free port of the loopback; `requests.ts` speaks to it. */
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import perspective, {
  Avatar,
  type AvatarSession,
  type DetachReason,
  type PerspectiveOptions,
  unchecked,
} from 'fastify-perspective'
export * from './requests.js'

export const SECRET = 'a secret of the tests, and long enough for HS256'
export const PAGE = 'https://page.example'

/** What became of an avatar, in order. */
export const events: unknown[] = []

export interface TestContract {
  echo(value: unknown): unknown
  whoAmI(): string
  fail(): void
  guarded(): string
}

export class TestAvatar extends Avatar<object | undefined> {
  static readonly remote = {
    echo: unchecked,
    whoAmI: true,
    fail: true,
    guarded: { requires: 'chat.delete_line' },
  } as const
  override attached(): void | Promise<void> {
    events.push('attached')
  }
  override detached({ code }: DetachReason): void | Promise<void> {
    events.push(`detached ${code}`)
  }
  echo(value: unknown): unknown {
    return value
  }
  whoAmI(): string {
    return this.user.username
  }
  fail(): void {
    throw new Error('SELECT secret FROM somewhere')
  }
  guarded(): string {
    return 'granted'
  }
}

export const TestRealm = (session: AvatarSession): TestAvatar => new TestAvatar(session)

export interface TestApp {
  readonly app: FastifyInstance
  readonly port: number
  /** `http://127.0.0.1:<port>/perspective`. */
  readonly url: string
  /** Every line that the app has logged, at `trace`. */
  readonly logs: string[]
  /** Connections that hold a slot. */
  slots(): number
  close(): Promise<void>
}

export interface AppSetup {
  readonly fastify?: FastifyServerOptions
  before?(app: FastifyInstance): unknown
  after?(app: FastifyInstance): unknown
  /** Where the plugin goes instead of the root. */
  register?(app: FastifyInstance, options: PerspectiveOptions): unknown
}

/** Limits that no test runs into by its own number of logins. */
export const WIDE: PerspectiveOptions['rateLimits'] = {
  addressPerMinute: 1_000_000,
  accountPer5Minutes: 1_000_000,
  accountPerHour: 1_000_000,
  ticketsPerMinute: 1_000_000,
  refusedUpgradesPerMinute: 1_000_000,
  renewalsPerMinute: 1_000_000,
  refusedRenewalsPerMinute: 1_000_000,
}

export function optionsFor(
  database: PerspectiveOptions['database'],
  options: Partial<PerspectiveOptions> = {},
): PerspectiveOptions {
  return {
    prefix: '/perspective',
    database,
    ticket: { secret: SECRET },
    allowedOrigins: [PAGE],
    realm: TestRealm,
    rateLimits: WIDE,
    passwordIterations: 1000,
    ...options,
  } as PerspectiveOptions
}

/** Starts an app, which is closed after the test or the file that starts it; in a `before` hook that would be at once. */
export async function startApp(
  options: PerspectiveOptions,
  setup: AppSetup = {},
  chosenPort = 0,
): Promise<TestApp> {
  const logs: string[] = []
  const app = Fastify({
    logger: { level: 'trace', stream: { write: (line: string) => void logs.push(line) } },
    ...setup.fastify,
  } as FastifyServerOptions)
  await setup.before?.(app)
  if (setup.register === undefined) await app.register(perspective, options)
  else await setup.register(app, options)
  await setup.after?.(app)
  await app.listen({ port: chosenPort, host: '127.0.0.1' })
  after(() => app.close())
  const { port } = app.server.address() as AddressInfo
  return {
    app,
    port,
    url: `http://127.0.0.1:${String(port)}/perspective`,
    logs,
    slots: () => (app.perspective.sessions as unknown as { slots: number }).slots,
    close: () => app.close(),
  }
}
