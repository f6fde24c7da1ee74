import { useCallback, useEffect, useState } from 'react'
import { type CloseReason, login, type Session } from 'fastify-perspective/client'
import type { Chat, ChatMind } from '../../contract.js'
import { Door } from './door/door.js'
import { Ended } from './door/ended.js'
import { Login } from './door/login.js'
import { RoomStore } from './room-store.js'
import { Room } from './room/room.js'
import { endedText } from './words.js'

/** One login of this page: the session, and what its mind has heard. */
export interface Visit {
  readonly session: Session<Chat>
  readonly store: RoomStore
}

type Screen =
  | { readonly name: 'login'; readonly username: string }
  | { readonly name: 'room'; readonly visit: Visit }
  | { readonly name: 'ended'; readonly username: string; readonly why: string }

export function App() {
  const [screen, setScreen] = useState<Screen>({ name: 'login', username: '' })

  const enter = useCallback(async (username: string, password: string) => {
    const store = new RoomStore()
    const session = await login<Chat, ChatMind>(
      '/perspective',
      { username, password },
      { mind: store.mind },
    )
    setScreen({ name: 'room', visit: { session, store } })
    void session.ended.then((reason: CloseReason) => {
      const why = endedText(reason)
      setScreen(why === null ? { name: 'login', username } : { name: 'ended', username, why })
    })
  }, [])

  useEffect(() => {
    document.title =
      screen.name === 'room' ? `${screen.visit.session.user.username} · Perspective` : 'Perspective'
  }, [screen])

  if (screen.name === 'room') return <Room visit={screen.visit} />
  return (
    <Door>
      {screen.name === 'ended' ? (
        <Ended
          why={screen.why}
          onLogin={() => setScreen({ name: 'login', username: screen.username })}
        />
      ) : (
        <Login username={screen.username} onLogin={enter} />
      )}
    </Door>
  )
}
