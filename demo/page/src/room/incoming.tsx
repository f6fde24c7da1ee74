import { useRef } from 'react'
import type { Pending } from '../room-store.js'
import { useSecondsUntil } from '../use-seconds.js'

/** The question that the server awaits an answer to; the next one follows when it is answered. */
export function Incoming({ pending }: { readonly pending: readonly Pending[] }) {
  const [first, ...others] = pending
  const place = useRef<HTMLDivElement>(null)
  return (
    <div className="incoming-place" aria-live="assertive" ref={place} tabIndex={-1}>
      {first !== undefined && (
        <IncomingQuestion
          key={first.question.id}
          pending={first}
          waiting={others.length}
          onAnswer={(answer) => {
            first.answer(answer)
            // The button that had the focus has gone; the next Tab goes on from here.
            place.current?.focus()
          }}
        />
      )}
    </div>
  )
}

interface IncomingQuestionProps {
  readonly pending: Pending
  /** How many more questions there are. */
  readonly waiting: number
  readonly onAnswer: (answer: boolean | null) => void
}

// Not a modal dialog: it must not take the focus, or the next key of a sentence would be the answer.
function IncomingQuestion({ pending, waiting, onAnswer }: IncomingQuestionProps) {
  const { question, until } = pending
  const secondsLeft = useSecondsUntil(until)
  return (
    <section className="incoming" aria-labelledby="incoming-title">
      <p className="incoming-head">
        <span>
          The server asks this page, for <strong>{question.from}</strong>
          {waiting > 0 && ` (${String(waiting)} more)`}
        </span>
        <code className="call">await mind.ask()</code>
      </p>
      <p className="incoming-text" id="incoming-title">
        {question.text}
      </p>
      <div className="incoming-answers">
        <button className="button yes" type="button" onClick={() => onAnswer(true)}>
          Yes
        </button>
        <button className="button no" type="button" onClick={() => onAnswer(false)}>
          No
        </button>
        <button className="button bare" type="button" onClick={() => onAnswer(null)}>
          Not now
        </button>
        <span className="incoming-clock" role="timer" aria-live="off">
          <progress max={question.seconds} value={secondsLeft} aria-hidden="true" />
          {secondsLeft} s
        </span>
      </div>
    </section>
  )
}
