import { type SubmitEvent, useState } from 'react'
import type { Session } from 'fastify-perspective/client'
import type { Club } from '../../../contract.js'
import type { Attempt } from '../club-page.js'
import { type PollView, usePoll } from './use-poll.js'

interface PollProps {
  readonly session: Session<Club>
  readonly attempt: Attempt
}

/** A question to every page, and the answers as they are given. */
export function Poll({ session, attempt }: PollProps) {
  const { poll, ask, takeBack } = usePoll(session, attempt)
  const [draft, setDraft] = useState('')
  const isOpen = poll?.isOpen === true

  function submit(event: SubmitEvent) {
    event.preventDefault()
    const text = draft.trim()
    if (text === '' || isOpen) return
    setDraft('')
    ask(text)
  }

  return (
    <section className="panel poll" aria-labelledby="poll-title">
      <header className="panel-head">
        <h2 id="poll-title">Ask everybody</h2>
      </header>
      <form className="asker" onSubmit={submit}>
        <input
          aria-label="A question with yes or no for an answer"
          placeholder="A question: yes or no?"
          maxLength={140}
          autoComplete="off"
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
        />
        {isOpen ? (
          <button className="button" type="button" onClick={takeBack}>
            Take back
          </button>
        ) : (
          <button className="button primary">Ask</button>
        )}
      </form>
      {poll !== null && <Answers poll={poll} />}
    </section>
  )
}

const WORDS = { waiting: 'awaited', yes: 'yes', no: 'no', none: 'no answer', left: 'has left' }

function Answers({ poll: { text, ballots } }: { readonly poll: PollView }) {
  const count = (answer: string) => ballots.filter((ballot) => ballot.answer === answer).length
  const waiting = count('waiting')
  return (
    <div className="answers" data-open={waiting > 0}>
      <p className="answers-text">{text}</p>
      <p className="answers-tally" role="status">
        {count('yes')} yes · {count('no')} no{waiting > 0 && ` · ${waiting} to come`}
      </p>
      <ul className="ballots">
        {ballots.map(({ page, username, answer }) => (
          <li key={page} className="ballot" data-answer={answer}>
            <span className="ballot-name">{username}</span>
            <span className="ballot-answer">{WORDS[answer]}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
