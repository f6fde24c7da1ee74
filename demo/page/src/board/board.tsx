import { type PointerEvent, useEffect, useMemo, useRef } from 'react'
import { type Received, type Session, tell } from 'fastify-perspective/client'
import type { Club, Welcome } from '../../../contract.js'
import type { Attempt } from '../club-page.js'
import type { Mind } from '../session/mind.js'
import { useMirror } from '../session/use-mirror.js'
import { NoteCard } from './note-card.js'
import { placeOf } from './place.js'
import { Pointers } from './pointers.js'
import { Toolbar } from './toolbar.js'

/** Often enough for the eye. */
const POINT_EVERY_MS = 40

interface BoardProps {
  readonly session: Session<Club>
  readonly mind: Mind
  readonly welcome: Received<Welcome>
  readonly attempt: Attempt
  /** Whether the connection that the notes belong to is there. */
  readonly isLive: boolean
}

/** The board: the mirrored notes, the pointers of the others, and what can be done. */
export function Board({ session, mind, welcome, attempt, isLive }: BoardProps) {
  const cards = useMirror(welcome.board)
  const surface = useRef<HTMLDivElement>(null)
  const lastPoint = useRef(0)
  const names = useMemo(() => Object.keys(cards), [cards])
  const shownNames = useRef<readonly string[]>(names)

  // Whose note is removed by keyboard goes on from the board.
  useEffect(() => {
    const isGone = shownNames.current.length > names.length
    shownNames.current = names
    if (isGone && document.activeElement === document.body) surface.current?.focus()
  }, [names])

  function point(event: PointerEvent) {
    if (surface.current === null || performance.now() - lastPoint.current < POINT_EVERY_MS) return
    lastPoint.current = performance.now()
    const { x, y } = placeOf(event, surface.current)
    // Thrown away where it comes too late: no answer is wanted.
    tell(session.perspective).point(x, y)
  }

  return (
    <section className="panel board" aria-labelledby="board-title">
      <header className="panel-head">
        <h2 id="board-title">The board</h2>
        <Toolbar {...{ session, welcome, attempt }} />
      </header>
      <div
        className="surface"
        ref={surface}
        role="group"
        aria-label={`${names.length} notes`}
        tabIndex={-1}
        inert={!isLive}
        onPointerMove={point}
      >
        {names.length === 0 && <p className="nothing">An empty board. Add a note.</p>}
        {Object.entries(cards).map(([name, card]) => (
          <NoteCard key={name} card={card} surface={surface} attempt={attempt} />
        ))}
        <Pointers pointers={mind.pointers} />
      </div>
    </section>
  )
}
