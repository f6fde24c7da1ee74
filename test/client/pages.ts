// Sessions of the test's server, as a page has them, and what becomes of them.
import assert from 'node:assert/strict'
import { type Session, type SessionState, login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import type { Contract } from './root.js'

export { until } from '../plugin/start-app.js'

export interface Page {
  readonly session: Session<Contract>
  /** Every state since the login. */
  readonly states: SessionState[]
}

/** Fast, so that a test need not wait; the first try is spread by the server. */
export const FAST = { minDelayMs: 5, maxDelayMs: 50 }

export async function enter(url: string, options: object = {}, username = '1'): Promise<Page> {
  const credentials = { username, password: 'good' }
  return follow(await login<Contract>(url, credentials, { WebSocket, reconnect: FAST, ...options }))
}

export function follow(session: Session<Contract>): Page {
  const states: SessionState[] = []
  session.subscribe((state) => states.push(state))
  return { session, states }
}

export const names = ({ states }: Page): string[] => states.map(({ name }) => name)

/** Resolves with the next state of a name; at once with the one that is. */
export function reached<N extends SessionState['name']>(
  { session }: Page,
  name: N,
): Promise<Extract<SessionState, { name: N }>> {
  type Reached = Extract<SessionState, { name: N }>
  return new Promise((resolve) => {
    if (session.state.name === name) {
      resolve(session.state as Reached)
      return
    }
    const stop = session.subscribe((state) => {
      if (state.name !== name) return
      stop()
      resolve(state as Reached)
    })
  })
}

/** Out of `open`, and in it again. */
export async function cameBack(page: Page): Promise<void> {
  await reached(page, 'waiting')
  await reached(page, 'open')
}

/** What a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return promise.then(
    () => assert.fail('it was taken'),
    (error: unknown) => error as Error & Record<string, unknown>,
  )
}
