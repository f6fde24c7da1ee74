/** Speaks to `POST <prefix>/ticket` as a page with cookies would. */
import assert from 'node:assert/strict'
import { type Answer, PAGE, ask, upgrade } from '../start-app.js'

type At = { readonly url: string }

export const code = ({ body }: Answer): unknown => (JSON.parse(body) as { code: unknown }).code

export function postTicket(
  at: At,
  headers: Record<string, string | string[]>,
  body: unknown = {},
): Promise<Answer> {
  return ask(`${at.url}/ticket`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: PAGE, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

/** The ticket for a session key. */
export async function ticketFor(at: At, key: string): Promise<string> {
  const answer = await postTicket(at, { cookie: `sessionid=${key}` })
  assert.equal(answer.status, 200, answer.body)
  return (JSON.parse(answer.body) as { ticket: string }).ticket
}

export function claimsOf(ticket: string): Record<string, unknown> {
  const [, claims = ''] = ticket.split('.')
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>
}

/** The status of an upgrade by a page; its socket is ended. */
export async function statusOf(at: At, ticket: string): Promise<number> {
  const { status, socket } = await upgrade(at, ticket, { origin: PAGE })
  socket.destroy()
  return status
}
