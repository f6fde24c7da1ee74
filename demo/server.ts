/** The server: a Fastify app with the plugin, the page that Vite has built, and a page without a bundler. */
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import Fastify, { type FastifyInstance } from 'fastify'
import perspective from 'fastify-perspective'
import { Pool } from 'pg'
import { ClubAvatar } from './avatar.js'
import { Members } from './club/members.js'
import { ClubRoom } from './club/room.js'

export interface ServerOptions {
  /** Connection string of a Django project's PostgreSQL. */
  readonly database: string
  readonly port: number
  readonly ticketSecret: string
  /** Offered on the login card: accounts of a database that is thrown away. */
  readonly accounts?: readonly { readonly username: string; readonly password: string }[]
}

// Scripts, styles and connections of this server, and nothing else: no inline code, no foreign host.
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  ...['script-src', 'style-src', 'img-src', 'connect-src'].map((kind) => `${kind} 'self'`),
  "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
].join('; ')

/** Listens on this machine only; `close()` of what it answers ends it. */
export async function startServer(options: ServerOptions): Promise<FastifyInstance> {
  const { database, port, ticketSecret, accounts = [] } = options
  const app = Fastify({ logger: { level: process.env['LOG_LEVEL'] ?? 'warn' } })
  const pool = new Pool({ connectionString: database })
  app.addHook('onClose', () => pool.end())

  const room = new ClubRoom(new Members(pool))

  await app.register(perspective, {
    prefix: '/perspective',
    database: pool,
    ticket: { secret: ticketSecret },
    allowedOrigins: ['localhost', '127.0.0.1'].map((host) => `http://${host}:${port}`),
    realm: (session) => new ClubAvatar(session, room),
    // How soon a user who was deactivated loses the session. 10 unless said; 2 so that nobody waits for it here.
    sessions: { revalidateSeconds: 2 },
  })

  app.addHook('onSend', async (_request, reply) => {
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY)
    reply.header('x-content-type-options', 'nosniff')
    reply.header('referrer-policy', 'no-referrer')
  })
  app.get('/accounts', () => accounts)
  const root = ['page/dist', 'plain'].map((path) => fileURLToPath(new URL(path, import.meta.url)))
  await app.register(fastifyStatic, { root })

  await app.listen({ port, host: 'localhost' })
  return app
}
