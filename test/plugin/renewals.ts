/** Logs in, renews and logs out over HTTP, and reads what a session tells of renewal tokens. */
import assert from 'node:assert/strict'
import { type Answer, type RawSession, ask, openRaw, postLogin, until } from './requests.js'

interface At {
  readonly url: string
}

export interface LoggedIn {
  readonly ticket: string
  readonly renewal: string
}

/** The whole answer to a login of `fast<n>`. */
export async function logIn(
  app: At,
  n: number,
  headers: Record<string, string> = {},
): Promise<LoggedIn> {
  const credentials = { username: `fast${String(n)}`, password: `fast password ${String(n)}` }
  const { status, body } = await postLogin(app, credentials, headers)
  if (status !== 200) throw new Error(`login of fast${String(n)}: ${String(status)} ${body}`)
  return JSON.parse(body) as LoggedIn
}

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

/** `POST <prefix>/renew`; `renewal`: a token, or the whole body. */
export function renew(
  { url }: At,
  renewal: unknown,
  headers?: Record<string, string>,
): Promise<Answer> {
  return post(`${url}/renew`, typeof renewal === 'string' ? { renewal } : renewal, headers)
}

export function postLogout(
  { url }: At,
  renewal: unknown,
  headers?: Record<string, string>,
): Promise<Answer> {
  return post(`${url}/logout`, typeof renewal === 'string' ? { renewal } : renewal, headers)
}

/** The ticket of a good renewal. */
export async function renewedTicket(app: At, renewal: string): Promise<string> {
  const { status, body } = await renew(app, renewal)
  if (status !== 200) throw new Error(`renewal: ${String(status)} ${body}`)
  return (JSON.parse(body) as LoggedIn).ticket
}

export const codeOf = ({ body }: Answer): unknown => (JSON.parse(body) as { code?: unknown }).code

/** It is refused with 401, which tells nothing of why. */
export function assertRejected(answer: Answer, what: string): void {
  assert.equal(answer.status, 401, what)
  assert.equal(codeOf(answer), 'PB_ERR_RENEWAL_REJECTED', what)
}

export interface Told {
  readonly token: string
  readonly id: string
}

export interface RenewingSession extends RawSession {
  /** The token that came with the hello. */
  readonly told: Told
  /** Confirms a token, and waits until the server has read that. */
  keep(told?: Told): Promise<void>
  /** The tokens that came by notice. */
  later(): Told[]
}

/** Opens a session as a page that renews does. */
export async function openRenewing(app: At, ticket: string): Promise<RenewingSession> {
  const session = await openRaw(app, ticket)
  const [hello] = JSON.parse(await session.frame('"renewal"')) as [[0, 1, { renewal: Told }]]
  const told = hello[2].renewal
  let pings = 0
  return {
    ...session,
    told,
    async keep({ id } = told) {
      pings += 1
      session.socket.send(
        JSON.stringify([
          [15, { kept: id }],
          [15, { ping: pings }],
        ]),
      )
      await session.frame(`"pong":${String(pings)}`)
    },
    later: () =>
      session.frames.flatMap((frame) =>
        (JSON.parse(frame) as [number, { renewal?: Told }][])
          .filter(([kind]) => kind === 15)
          .flatMap(([, { renewal }]) => (renewal === undefined ? [] : [renewal])),
      ),
  }
}

/** Leaves without a goodbye, as by a cut network, and waits until the server has seen it. */
export async function vanish(
  { socket }: RawSession,
  app: { slots(): number },
  slots = 0,
): Promise<void> {
  socket.terminate()
  await until(() => app.slots() === slots, 'the lost socket')
}
