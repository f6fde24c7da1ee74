/** Speaks to a Fastify app with the plugin as a page, or as an attacker, would. */
import { once } from 'node:events'
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import { type Socket, createConnection } from 'node:net'
import { WebSocket } from 'ws'

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

/** Presents a ticket: the status of the upgrade, whose connection ends at once. */
export async function present(app: { readonly url: string }, ticket: string): Promise<number> {
  const { status, socket } = await upgrade(app, ticket)
  socket.destroy()
  return status
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

/** A session of `fast<n>`; its avatar is attached. */
export async function openSession(app: { readonly url: string }, n: number): Promise<RawSession> {
  const session = await openRaw(app, await ticketOf(app, n))
  await session.frame('username')
  return session
}

/** Leaves, as pages do that log out. */
export async function closeAll(sessions: readonly RawSession[]): Promise<void> {
  for (const { socket } of sessions) socket.close(1000)
  await Promise.all(sessions.map(({ closed }) => closed))
}

/** A call's id is used once for each session. */
let calls = 0

/** Its avatar, a `TestAvatar` of `fast<n>`, answers. */
export async function assertAlive(session: RawSession): Promise<void> {
  session.frames.length = 0
  calls += 1
  session.socket.send(`[[1,${String(calls)},0,"whoAmI",[]]]`)
  await session.frame('"fast')
}

/** Waits until something holds; fails with what was waited for. The default is for a machine that has much else to do. */
export async function until(holds: () => boolean, what: string, ms = 15_000): Promise<void> {
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
  /** Resolves when the server has ended the connection; false if it has not within `ms`, by default {@link until}'s. */
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
    ended: (ms) =>
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
