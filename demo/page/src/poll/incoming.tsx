import { useRef } from 'react'
import type { Pending } from '../session/mind.js'
import { type Store, useStore } from '../store.js'

/** The question that the server awaits an answer to; the next one follows when it is answered. */
export function Incoming({ pending }: { readonly pending: Store<readonly Pending[]> }) {
  const [first] = useStore(pending)
  const place = useRef<HTMLDivElement>(null)
  const answer = (answer: boolean | null) => {
    first?.answer(answer)
    // The button that had the focus has gone; the next Tab goes on from here.
    place.current?.focus()
  }
  // Not a modal dialog: it must not take the focus, or the next key of a sentence would be the answer.
  return (
    <div className="incoming-place" aria-live="assertive" ref={place} tabIndex={-1}>
      {first !== undefined && (
        <section key={first.id} className="incoming" role="dialog" aria-labelledby="incoming-title">
          <p className="incoming-head">
            The server asks this page, for <strong>{first.question.from}</strong>
          </p>
          <p className="incoming-text" id="incoming-title">
            {first.question.text}
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
          </div>
        </section>
      )}
    </div>
  )
}
