import { useCallback } from 'react'
import type { Visit } from './app.js'
import { Bar } from './bar.js'
import { Board } from './board/board.js'
import { Incoming } from './poll/incoming.js'
import { Poll } from './poll/poll.js'
import { useConnection, useEntry } from './session/use-session.js'
import { useStore } from './store.js'
import type { Network } from './wire/network.js'
import type { WireLog } from './wire/wire-log.js'
import { WirePanel } from './wire/wire-panel.js'
import { callText } from './words.js'

interface ClubPageProps {
  readonly visit: Visit
  readonly network: Network
  readonly log: WireLog
}

/** Makes a call, and says it where the server refuses. True: it was done. */
export type Attempt = (call: PromiseLike<unknown>) => Promise<boolean>

/** The club: who is here, the board, the question, the wire. */
export function ClubPage({ visit: { session, mind }, network, log }: ClubPageProps) {
  const { link, count } = useConnection(session)
  const entry = useEntry(session, count)
  const notice = useStore(mind.notice)

  const attempt: Attempt = useCallback(
    async (call) => {
      mind.notice.set('')
      try {
        await call
        return true
      } catch (error) {
        mind.notice.set(callText(error, session.user.username))
        return false
      }
    },
    [mind, session],
  )

  return (
    <div className="club">
      <Bar session={session} link={link} welcome={entry?.welcome ?? null} network={network} />
      <main className="stage">
        {entry === null ? (
          <p className="nothing">Coming in …</p>
        ) : (
          <Board
            // Another connection, other references.
            key={entry.count}
            {...{ session, mind, attempt }}
            welcome={entry.welcome}
            isLive={link.name === 'open' && entry.count === count}
          />
        )}
        <p className="notice" role="alert">
          {notice !== '' && (
            <>
              {notice}
              <button
                className="button bare"
                type="button"
                onClick={() => {
                  mind.notice.set('')
                }}
              >
                Close
              </button>
            </>
          )}
        </p>
        <Incoming pending={mind.pending} />
      </main>
      <aside className="side">
        <Poll session={session} attempt={attempt} />
        <WirePanel log={log} />
      </aside>
    </div>
  )
}
