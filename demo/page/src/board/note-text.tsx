import { useRef, useState } from 'react'

interface NoteTextProps {
  readonly text: string
  readonly isEditing: boolean
  readonly onDone: (text: string) => void
}

/** A note's text, or a field to change it: Enter or leaving it saves, Escape does not. */
export function NoteText({ text, isEditing, onDone }: NoteTextProps) {
  return isEditing ? (
    <Editor text={text} onDone={onDone} />
  ) : (
    <p className="note-text" data-long={text.length > 50}>
      {text || <span className="note-empty">Enter to write</span>}
    </p>
  )
}

function Editor({ text, onDone }: Omit<NoteTextProps, 'isEditing'>) {
  const [draft, setDraft] = useState(text)
  const isDone = useRef(false)

  // Once: the field that goes loses the focus, too.
  function finish(changed: string) {
    if (isDone.current) return
    isDone.current = true
    onDone(changed)
  }

  return (
    <textarea
      className="note-editor"
      aria-label="Text of the note"
      maxLength={120}
      autoFocus
      value={draft}
      onChange={(event) => setDraft(event.target.value)}
      onFocus={(event) => event.target.select()}
      onBlur={() => finish(draft.trim())}
      onKeyDown={(event) => {
        if (event.key === 'Escape') finish(text)
        if (event.key === 'Enter' && !event.shiftKey) {
          event.preventDefault()
          finish(draft.trim())
        }
      }}
    />
  )
}
