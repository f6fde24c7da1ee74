import { type SubmitEvent, useLayoutEffect, useRef, useState } from 'react'
import type { Line } from '../../../contract.js'
import { Face } from '../face.js'
import type { RoomView } from '../room-store.js'

interface ConversationProps {
  readonly view: RoomView
  readonly username: string
  /** What the server last refused. */
  readonly notice: string
  readonly onSay: (text: string) => Promise<boolean>
  readonly onClear: () => Promise<boolean>
}

/** What was said, and a field to say more. */
export function Conversation({ view, username, notice, onSay, onClear }: ConversationProps) {
  const { lines, mayClear, clearedBy } = view
  const [draft, setDraft] = useState('')
  const log = useRef<HTMLOListElement>(null)

  useLayoutEffect(() => {
    log.current?.scrollTo(0, log.current.scrollHeight)
  }, [lines])

  async function submit(event: SubmitEvent) {
    event.preventDefault()
    const text = draft.trim()
    if (text !== '' && (await onSay(text))) setDraft('')
  }

  return (
    <section className="panel conversation" aria-labelledby="conversation-title">
      <header className="panel-head">
        <h2 id="conversation-title">Conversation</h2>
        <code className="call">perspective.say()</code>
        <button
          className="button small"
          type="button"
          aria-describedby="clear-why"
          onClick={() => void onClear()}
        >
          {!mayClear && <Lock />}
          Clear
        </button>
        <span className="visually-hidden" id="clear-why">
          Needs the Django permission chat.delete_line
          {mayClear ? ', which you have.' : '. You do not have it: the server will refuse.'}
        </span>
      </header>
      <p className="notice" role="alert">
        {notice}
      </p>
      <ol className="lines" ref={log} role="log" aria-label="What was said" tabIndex={0}>
        {lines.map((line, index) => (
          <Said
            key={line.id}
            line={line}
            isMine={line.from === username}
            isFirst={lines[index - 1]?.from !== line.from}
          />
        ))}
        {lines.length === 0 && (
          <li className="nothing">
            {clearedBy === null
              ? 'Nobody has said anything yet.'
              : `${clearedBy} cleared the conversation.`}
          </li>
        )}
      </ol>
      <form className="composer" onSubmit={(event) => void submit(event)}>
        <input
          aria-label="Say something"
          placeholder="Say something to every page"
          maxLength={500}
          autoComplete="off"
          autoFocus
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
        />
        <button className="button primary">Say</button>
      </form>
    </section>
  )
}

interface SaidProps {
  readonly line: Line
  readonly isMine: boolean
  /** Not the continuation of what the same user said before. */
  readonly isFirst: boolean
}

function Said({ line: { from, text, at }, isMine, isFirst }: SaidProps) {
  const className = ['line', isMine ? 'mine' : '', isFirst ? 'first' : ''].join(' ')
  return (
    <li className={className}>
      {isFirst && <Face username={from} />}
      <div className="line-body">
        <p className={isFirst ? 'line-head' : 'visually-hidden'}>
          <strong>{from}</strong>
          <time dateTime={at.toISOString()}>
            {at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}
          </time>
        </p>
        <p className="line-text">{text}</p>
      </div>
    </li>
  )
}

function Lock() {
  return (
    <svg className="lock" viewBox="0 0 16 16" aria-hidden="true">
      <rect x="3" y="7" width="10" height="7" rx="1.5" />
      <path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2" />
    </svg>
  )
}
