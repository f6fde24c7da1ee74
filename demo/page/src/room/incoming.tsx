import type { Pending } from '../room-store.js'
import { useSecondsUntil } from '../use-seconds.js'

/** The question that the server awaits an answer to; the next one follows when it is answered. */
export function Incoming({ pending }: { readonly pending: readonly Pending[] }) {
  const [first, ...others] = pending
  return (
    <div aria-live="assertive">
      {first !== undefined && (
        <IncomingQuestion key={first.question.id} pending={first} waiting={others.length} />
      )}
    </div>
  )
}

interface IncomingQuestionProps {
  readonly pending: Pending
  /** How many more questions there are. */
  readonly waiting: number
}

// Not a modal dialog: it must not take the focus, or the next key of a sentence would be the answer.
function IncomingQuestion({ pending, waiting }: IncomingQuestionProps) {
  const { question, until, answer } = pending
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
        <button className="button yes" type="button" onClick={() => answer(true)}>
          Yes
        </button>
        <button className="button no" type="button" onClick={() => answer(false)}>
          No
        </button>
        <button className="button bare" type="button" onClick={() => answer(null)}>
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
