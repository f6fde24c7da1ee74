import { useEffect, useState } from 'react'
import type { CloseReason, Received, Session } from 'fastify-perspective/client'
import type { Club, Welcome } from '../../../contract.js'

/** Where the connection of a session is in its life. */
export type Link =
  | { readonly name: 'connecting' | 'open' }
  | { readonly name: 'waiting'; readonly attempt: number; readonly until: Date }
  | { readonly name: 'ended'; readonly reason: CloseReason }

export interface Connection {
  readonly link: Link
  /** How often the session was open: rises when it comes back. */
  readonly count: number
}

/** The state of a session, for what a page shows of it. */
export function useConnection(session: Session<Club>): Connection {
  const [connection, setConnection] = useState<Connection>({ link: session.state, count: 1 })
  useEffect(
    () =>
      session.subscribe((link: Link) => {
        setConnection(({ count }) => ({ link, count: link.name === 'open' ? count + 1 : count }))
      }),
    [session],
  )
  return connection
}

/** What a connection was welcomed with. */
export interface Entry {
  /** Which connection: {@link Connection.count}. */
  readonly count: number
  readonly welcome: Received<Welcome>
}

/**
 * What the server gives to a page that comes in; null until it is there. The perspective stays the same over a lost
 * connection. All other references, streams and mirrors die with theirs, so each new connection asks again; until the
 * answer is there the entry of the one before is what can be shown.
 */
export function useEntry(session: Session<Club>, count: number): Entry | null {
  const [entry, setEntry] = useState<Entry | null>(null)
  useEffect(() => {
    let isOver = false
    session.perspective.enter().then(
      (welcome) => {
        if (!isOver) setEntry({ count, welcome })
      },
      // The connection ended first: the session's state says so.
      () => undefined,
    )
    return () => {
      isOver = true
    }
  }, [session, count])
  return entry
}
