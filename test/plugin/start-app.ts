/** Starts a Fastify app with the plugin on a free port of the loopback, and speaks to it as a page or an attacker would. */
import { once } from 'node:events'
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import { type AddressInfo, type Socket, createConnection } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import perspective, {
  Avatar,
  type AvatarSession,
  type DetachReason,
  type PerspectiveOptions,
  unchecked,
} from 'fastify-perspective'
import { WebSocket } from 'ws'

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
  addressPerMinute: 10_000,
  accountPer5Minutes: 10_000,
  accountPerHour: 10_000,
  refusedUpgradesPerMinute: 10_000,
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

export async function startApp(
  options: PerspectiveOptions,
  setup: AppSetup = {},
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
  await app.listen({ port: 0, host: '127.0.0.1' })
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

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The socket of the request; open after a 101. */
  readonly socket: Socket
  /** Bytes after the head of a 101. */
  readonly head: Buffer
}

export interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string | string[]>
  readonly body?: string | Buffer
}

/** One plain or upgrade request on a connection of its own. */
export async function ask(
  url: string,
  { method = 'GET', headers = {}, body }: Ask = {},
): Promise<Answer> {
  const request = httpRequest(url, { method, headers, agent: false })
  // After an answer the server may end the connection while the body is still on its way.
  request.on('error', () => undefined)
  request.end(body)
  const [socket] = (await once(request, 'socket')) as [Socket]
  return new Promise((resolve, reject) => {
    request.once('error', reject)
    request.on('upgrade', ({ statusCode = 0, headers: answered }, upgraded, head) => {
      upgraded.on('error', () => undefined)
      resolve({ status: statusCode, headers: answered, body: '', socket, head })
    })
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        const { statusCode = 0, headers: answered } = response
        resolve({
          status: statusCode,
          headers: answered,
          body: text,
          socket,
          head: Buffer.alloc(0),
        })
      })
      response.on('error', reject)
    })
  })
}

/** `POST <prefix>/login` with a JSON body. */
export function postLogin(
  { url }: { readonly url: string },
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return ask(`${url}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

/** A ticket of `fast<n>`. */
export async function ticketOf(
  app: { readonly url: string },
  n: number,
  headers: Record<string, string> = {},
): Promise<string> {
  const credentials = { username: `fast${String(n)}`, password: `fast password ${String(n)}` }
  const { status, body } = await postLogin(app, credentials, headers)
  if (status !== 200) throw new Error(`login of fast${String(n)}: ${String(status)} ${body}`)
  return (JSON.parse(body) as { ticket: string }).ticket
}

export function upgradeHeaders(protocols: string | null): Record<string, string> {
  return {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...(protocols !== null && { 'sec-websocket-protocol': protocols }),
  }
}

/** An upgrade with a ticket, by hand. */
export function upgrade(
  { url }: { readonly url: string },
  ticket: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return ask(`${url}/socket`, {
    headers: { ...upgradeHeaders(`perspective.v1, ticket.${ticket}`), ...headers },
  })
}

export interface RawSession {
  readonly socket: WebSocket
  /** Frames that came, as text. */
  readonly frames: string[]
  readonly closed: Promise<{ code: number; reason: string }>
  /** Resolves with the first frame that has this text in it. */
  frame(text: string): Promise<string>
}

/** Opens a socket with a ticket, and says hello without a mind; frames can be sent as they are. */
export async function openRaw(
  { url }: { readonly url: string },
  ticket: string,
  hello: string | null = '[[0,0]]',
): Promise<RawSession> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket`, [
    'perspective.v1',
    `ticket.${ticket}`,
  ])
  const frames: string[] = []
  socket.on('message', (data) => frames.push((data as Buffer).toString()))
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({ code, reason: reason.toString() })
    })
  })
  await once(socket, 'open')
  socket.on('error', () => undefined)
  if (hello !== null) socket.send(hello)
  return {
    socket,
    frames,
    closed,
    async frame(text) {
      await until(() => frames.some((frame) => frame.includes(text)), `a frame with ${text}`)
      return frames.find((frame) => frame.includes(text)) ?? ''
    },
  }
}

/** Waits until something holds; fails with what was waited for. */
export async function until(holds: () => boolean, what: string, ms = 4000): Promise<void> {
  const end = performance.now() + ms
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${String(ms)} ms for ${what}`)
    await pause()
  }
}

/** 5 ms; by an interval, which a test may leave running where it mocks `setTimeout`. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    const interval = setInterval(() => {
      clearInterval(interval)
      resolve()
    }, 5)
  })
}

export interface Wire {
  readonly socket: Socket
  /** All that came. */
  text(): string
  /** Resolves when the server has ended the connection; false if it has not within `ms`. */
  ended(ms?: number): Promise<boolean>
}

/** An upgrade, or anything else, written by hand on a connection that ends when the server ends it. */
export async function openWire(
  { port }: { readonly port: number },
  request: string,
): Promise<Wire> {
  const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  let isEnded = false
  socket.on('error', () => (isEnded = true)).on('end', () => (isEnded = true))
  socket.on('data', (data) => (text += data.toString('latin1')))
  await once(socket, 'connect')
  // Bytes as they are: a frame may follow the request.
  socket.write(request, 'latin1')
  return {
    socket,
    text: () => text,
    ended: (ms = 1000) =>
      until(() => isEnded, 'the end', ms).then(
        () => true,
        () => false,
      ),
  }
}

/** The text of an upgrade request; `headers` are added, or replace those of the same name. */
export function upgradeText(
  ticket: string,
  headers: Record<string, string | null> = {},
  line = 'GET /perspective/socket HTTP/1.1',
): string {
  const all: Record<string, string | null> = {
    host: 'x',
    ...upgradeHeaders(`perspective.v1, ticket.${ticket}`),
    ...headers,
  }
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  )
  return [line, ...lines, '', ''].join('\r\n')
}
