import { useState } from 'react'
import type { Received, Session } from 'fastify-perspective/client'
import { COLOURS, type Club, type Welcome } from '../../../contract.js'
import type { Attempt } from '../club-page.js'
import { JournalExport } from '../journal/journal-export.js'
import { MembersButton } from '../members/members.js'

interface ToolbarProps {
  readonly session: Session<Club>
  readonly welcome: Received<Welcome>
  readonly attempt: Attempt
}

/** What can be done with the board as a whole. */
export function Toolbar({ session, welcome, attempt }: ToolbarProps) {
  const { perspective } = session
  const [colour, setColour] = useState(0)

  function add() {
    setColour((colour + 1) % COLOURS.length)
    void attempt(perspective.add(COLOURS[colour] ?? 'lemon'))
  }

  return (
    <div className="toolbar" role="toolbar" aria-label="The board as a whole">
      <button className="button primary" type="button" onClick={add}>
        Add a note
      </button>
      <JournalExport session={session} attempt={attempt} />
      <button
        className="button"
        type="button"
        // It can be pressed by everybody: the server is who refuses.
        title={welcome.mayClear ? undefined : 'Needs the Django permission board.clear_board'}
        onClick={() => void attempt(perspective.clear())}
      >
        {!welcome.mayClear && <Lock />}Clear
      </button>
      {welcome.mayManage && <MembersButton session={session} attempt={attempt} />}
    </div>
  )
}

function Lock() {
  return (
    <svg className="lock" viewBox="0 0 16 16" role="img" aria-label="Locked: ">
      <rect x="3" y="7" width="10" height="7" rx="1.5" />
      <path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2" />
    </svg>
  )
}
