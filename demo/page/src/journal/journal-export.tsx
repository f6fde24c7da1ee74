import { useEffect, useRef, useState } from 'react'
import type { Session } from 'fastify-perspective/client'
import type { Club } from '../../../contract.js'
import type { Attempt } from '../club-page.js'
import { type ExportView, useExport } from './use-export.js'

interface JournalExportProps {
  readonly session: Session<Club>
  readonly attempt: Attempt
}

/** Exports the club's journal, with its progress; it can be paused and cancelled. */
export function JournalExport({ session, attempt }: JournalExportProps) {
  const { view, start, pause, resume, cancel, close } = useExport(session, attempt)
  const button = useRef<HTMLButtonElement>(null)
  return (
    <>
      <button
        className="button"
        type="button"
        ref={button}
        aria-disabled={view !== null}
        onClick={() => view === null && start()}
      >
        Export journal
      </button>
      {view !== null && (
        <Progress
          {...{ view, pause, resume, cancel }}
          close={() => {
            close()
            button.current?.focus()
          }}
        />
      )}
    </>
  )
}

interface ProgressProps {
  readonly view: ExportView
  readonly pause: () => void
  readonly resume: () => void
  readonly cancel: () => void
  readonly close: () => void
}

function Progress({ view, pause, resume, cancel, close }: ProgressProps) {
  const { state, done, total, file } = view
  const percent = Math.floor((done / total) * 100)
  const isGoing = state === 'running' || state === 'paused'
  return (
    <div className="export" role="group" aria-label="Export of the journal">
      <span className="export-words" role="status">
        {state === 'done' ? `${total} lines` : `${percent} %`}
        {state === 'paused' && ', the server waits'}
        {state === 'cancelled' && ', cancelled'}
      </span>
      <progress max={total} value={done} aria-label="Lines exported" />
      {isGoing && (
        <button
          className="button small"
          type="button"
          onClick={state === 'paused' ? resume : pause}
        >
          {state === 'paused' ? 'Go on' : 'Pause'}
        </button>
      )}
      {file !== null && <Download file={file} />}
      <button className="button small" type="button" onClick={isGoing ? cancel : close}>
        {isGoing ? 'Cancel' : 'Close'}
      </button>
    </div>
  )
}

function Download({ file }: { readonly file: Blob }) {
  const [url, setUrl] = useState('')
  useEffect(() => {
    const url = URL.createObjectURL(file)
    setUrl(url)
    return () => URL.revokeObjectURL(url)
  }, [file])
  return (
    <a className="button small" href={url} download="journal.csv">
      Save
    </a>
  )
}
