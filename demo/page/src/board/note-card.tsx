import {
  type CSSProperties,
  type KeyboardEvent,
  memo,
  type RefObject,
  useRef,
  useState,
} from 'react'
import type { Received } from 'fastify-perspective/client'
import { COLOURS, type Card } from '../../../contract.js'
import type { Attempt } from '../club-page.js'
import { NoteText } from './note-text.js'
import { useMove } from './use-move.js'

interface NoteCardProps {
  readonly card: Received<Card>
  readonly surface: RefObject<HTMLElement | null>
  readonly attempt: Attempt
}

/** One note. Its reference is called for all that is done to it; how it looks comes back by the mirror. */
export const NoteCard = memo(function NoteCard({ card, surface, attempt }: NoteCardProps) {
  const { note, text, colour, by, x, y, level } = card
  const { shown, isHeld, handlers, onArrow } = useMove(note, { x, y }, surface, attempt)
  const [isEditing, setIsEditing] = useState(false)
  const element = useRef<HTMLElement>(null)

  function onKeyDown(event: KeyboardEvent) {
    if (event.target !== element.current || onArrow(event)) return
    if (event.key === 'Enter') {
      event.preventDefault()
      setIsEditing(true)
    }
    if (event.key === 'Delete') void attempt(note.remove())
    const chosen = COLOURS[Number(event.key) - 1]
    if (chosen !== undefined) void attempt(note.paint(chosen))
  }

  return (
    <article
      ref={element}
      className="note"
      data-colour={colour}
      data-held={isHeld}
      data-low={shown.y > 650}
      style={{ '--x': shown.x, '--y': shown.y, zIndex: level } as CSSProperties}
      tabIndex={0}
      aria-label={`Note by ${by}: ${text || 'empty'}`}
      aria-description="Arrow keys move it, Enter edits it, 1 to 5 colour it, Delete removes it."
      onKeyDown={onKeyDown}
      onDoubleClick={() => setIsEditing(true)}
      {...handlers}
    >
      <NoteText
        text={text}
        isEditing={isEditing}
        onDone={(changed) => {
          setIsEditing(false)
          element.current?.focus()
          if (changed !== text) void attempt(note.write(changed))
        }}
      />
      <p className="note-by">{by}</p>
      <div className="note-tools">
        {COLOURS.map((other) => (
          <button
            key={other}
            className="swatch"
            type="button"
            data-colour={other}
            aria-label={other}
            aria-pressed={other === colour}
            onClick={() => void attempt(note.paint(other))}
          />
        ))}
        <button className="note-tool" type="button" onClick={() => setIsEditing(true)}>
          Edit
        </button>
        <button className="note-tool" type="button" onClick={() => void attempt(note.remove())}>
          Delete
        </button>
      </div>
    </article>
  )
})
