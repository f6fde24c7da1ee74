import { useCallback, useEffect, useState } from 'react'
import { login, type Session } from 'fastify-perspective/client'
import type { Club, ClubMind } from '../../contract.js'
import { Door } from './door/door.js'
import { Login } from './door/login.js'
import { ClubPage } from './club-page.js'
import { Mind } from './session/mind.js'
import { Network } from './wire/network.js'
import { WireLog } from './wire/wire-log.js'
import { endedText } from './words.js'

/** One login of this page: the session, and the object that the server calls. */
export interface Visit {
  readonly session: Session<Club>
  readonly mind: Mind
}

const log = new WireLog()
const network = new Network(log)

export function App() {
  const [visit, setVisit] = useState<Visit | null>(null)
  const [username, setUsername] = useState('')
  const [why, setWhy] = useState('')

  const enter = useCallback(async (username: string, password: string) => {
    const mind = new Mind()
    const { WebSocket, fetch } = network
    const session = await login<Club, ClubMind>(
      '/perspective',
      { username, password },
      // So that nobody waits long for it here. A page of many users leaves the 30 s.
      { mind, WebSocket, fetch, reconnect: { maxDelayMs: 5000 } },
    )
    setUsername(username)
    setVisit({ session, mind })
    const reason = await session.ended
    setWhy(endedText(reason) ?? '')
    setVisit(null)
  }, [])

  useEffect(() => {
    document.title = visit === null ? 'Perspective' : `${visit.session.user.username} · Perspective`
  }, [visit])

  if (visit !== null) return <ClubPage visit={visit} network={network} log={log} />
  return (
    <Door>
      <Login username={username} why={why} network={network} onLogin={enter} />
    </Door>
  )
}
