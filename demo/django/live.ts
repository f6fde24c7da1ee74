/** The live service beside a Django site: its users come in with the session cookie that Django gave them. */
import Fastify, { type FastifyInstance } from 'fastify'
import perspective, {
  Avatar,
  type AvatarSession,
  type Local,
  ReferenceSet,
  type RemoteMethods,
  tell,
} from 'fastify-perspective'
import { z } from 'zod'
import type { Clubhouse, ClubhouseMind } from './contract.js'

/** The minds of all pages, to tell them something at once. */
type Pages = ReferenceSet<ClubhouseMind>

class ClubhouseAvatar extends Avatar<ClubhouseMind> implements Local<Clubhouse> {
  static readonly remote: RemoteMethods<Clubhouse> = { say: [z.string().trim().min(1).max(200)] }
  readonly #pages: Pages
  #seconds = 0
  #clock: ReturnType<typeof setInterval> | undefined

  constructor(session: AvatarSession, pages: Pages) {
    super(session)
    this.#pages = pages
  }

  override attached() {
    this.#pages.add(this.mind)
    this.#clock = setInterval(() => tell(this.mind).ticked(++this.#seconds), 1000)
  }

  override detached() {
    clearInterval(this.#clock)
  }

  say(text: string) {
    this.#pages.tell.heard(this.user.username, text)
    return this.#pages.size
  }
}

export interface LiveOptions {
  /** Connection string of the site's database. */
  readonly database: string
  /** The site's SECRET_KEY. */
  readonly secretKey: string
  readonly ticketSecret: string
  /** Where the site's pages are: `http://127.0.0.1:8000`. */
  readonly origin: string
  readonly port: number
}

/** Listens on this machine only, at the host of the site: another port is another origin, and has the same cookies. */
export async function startLive(options: LiveOptions): Promise<FastifyInstance> {
  const { database, secretKey, ticketSecret, origin, port } = options
  const app = Fastify({ logger: { level: process.env['LOG_LEVEL'] ?? 'warn' } })
  const pages: Pages = new ReferenceSet()
  await app.register(perspective, {
    prefix: '/perspective',
    database,
    ticket: { secret: ticketSecret },
    djangoSessions: { secretKeys: [secretKey] },
    allowedOrigins: [origin],
    // How soon a logout of Django is seen here. 10 unless said.
    sessions: { revalidateSeconds: 2 },
    realm: (session) => new ClubhouseAvatar(session, pages),
  })
  await app.listen({ port, host: new URL(origin).hostname })
  return app
}
