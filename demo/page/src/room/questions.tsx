import { type SubmitEvent, useState } from 'react'
import type { Answer, Ballot, Question } from '../../../contract.js'

interface QuestionsProps {
  readonly questions: readonly Question[]
  readonly onAsk: (text: string) => Promise<boolean>
}

/** Asks every page, and shows the answers as they come in; the newest question first. */
export function Questions({ questions, onAsk }: QuestionsProps) {
  const [draft, setDraft] = useState('')

  function submit(event: SubmitEvent) {
    event.preventDefault()
    const text = draft.trim()
    if (text === '') return
    // The call is answered when all pages have answered: the field is free before that.
    setDraft('')
    void onAsk(text).then((isDone) => {
      if (!isDone) setDraft((newer) => newer || text)
    })
  }

  return (
    <aside className="panel questions" aria-labelledby="questions-title">
      <header className="panel-head">
        <h2 id="questions-title">Ask everybody</h2>
        <code className="call">mind.ask()</code>
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
        <button className="button primary">Ask</button>
      </form>
      <ol className="question-list" tabIndex={0} aria-label="Questions and answers">
        {questions.toReversed().map((question) => (
          <Asked key={question.id} question={question} />
        ))}
        {questions.length === 0 && (
          <li className="nothing">
            The server puts your question to every page, awaits each answer, and shows it here.
          </li>
        )}
      </ol>
    </aside>
  )
}

const WORDS: Record<Answer, string> = {
  waiting: 'awaited',
  yes: 'yes',
  no: 'no',
  none: 'no answer',
  left: 'has left',
}

// How the bar is laid out: what has been said, then what is still to come.
const ORDER: readonly Answer[] = ['yes', 'no', 'none', 'left', 'waiting']

function Asked({ question: { from, text, ballots } }: { readonly question: Question }) {
  const count = (answer: Answer) => ballots.filter((ballot) => ballot.answer === answer).length
  const waiting = count('waiting')
  return (
    <li className="question" data-open={waiting > 0}>
      <p className="question-text">{text}</p>
      <p className="question-head">
        asked by <strong>{from}</strong>
        <span className="tally">
          {count('yes')} yes · {count('no')} no{waiting > 0 && ` · ${String(waiting)} to come`}
        </span>
      </p>
      <div className="split" aria-hidden="true">
        {ORDER.flatMap((answer) => ballots.filter((ballot) => ballot.answer === answer)).map(
          ({ page, answer }) => (
            <span key={page} data-answer={answer} />
          ),
        )}
      </div>
      <ul className="ballots" aria-live="polite">
        {ballots.map((ballot) => (
          <Ballotted key={ballot.page} ballot={ballot} />
        ))}
      </ul>
    </li>
  )
}

function Ballotted({ ballot: { username, answer } }: { readonly ballot: Ballot }) {
  return (
    <li className="ballot" data-answer={answer}>
      <span className="ballot-name">{username}</span>
      <span className="ballot-answer">{WORDS[answer]}</span>
    </li>
  )
}
