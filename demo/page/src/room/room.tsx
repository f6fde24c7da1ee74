import { useState, useSyncExternalStore } from 'react'
import type { Visit } from '../app.js'
import { Face } from '../face.js'
import { Mark } from '../mark.js'
import { Vista } from '../vista.js'
import { callText } from '../words.js'
import { Conversation } from './conversation.js'
import { Incoming } from './incoming.js'
import { People } from './people.js'
import { Questions } from './questions.js'

/** The room: people, conversation, questions. Each panel gets what it shows, and the calls it makes. */
export function Room({ visit: { session, store } }: { readonly visit: Visit }) {
  const view = useSyncExternalStore(store.subscribe, store.snapshot)
  const [notice, setNotice] = useState('')
  const [isLeaving, setIsLeaving] = useState(false)
  const { username } = session.user

  /** Makes a call on the avatar, and says it where the server refuses. True: it was done. */
  async function attempt(call: () => PromiseLike<unknown>): Promise<boolean> {
    setNotice('')
    try {
      await call()
      return true
    } catch (error) {
      // Once the session has ended the page says so, and better.
      if (session.state.name === 'open') setNotice(callText(error, username))
      return false
    }
  }

  function leave() {
    setIsLeaving(true)
    void session.logout()
  }

  return (
    <div className="room" aria-busy={!view.hasEntered}>
      <header className="bar">
        <Vista />
        <h1 className="brand">
          <Mark /> <span>Perspective</span>
        </h1>
        <p className="me">
          <Face username={username} />
          <span>
            <strong>{username}</strong>
            <span className="state">connected</span>
          </span>
        </p>
        <button className="button" type="button" disabled={isLeaving} onClick={leave}>
          Log out
        </button>
      </header>
      <People people={view.people} userId={session.user.id} />
      <Incoming pending={view.pending} />
      <main className="stage">
        <Conversation
          view={view}
          username={username}
          notice={notice}
          onSay={(text) => attempt(() => session.perspective.say(text))}
          onClear={() => attempt(() => session.perspective.clear())}
        />
      </main>
      <Questions
        questions={view.questions}
        onAsk={(text) => attempt(() => session.perspective.askEverybody(text))}
      />
    </div>
  )
}
