import { useRef, useState } from 'react'
import type { Session } from 'fastify-perspective/client'
import type { Club } from '../../../contract.js'
import type { Attempt } from '../club-page.js'

export interface ExportView {
  readonly state: 'running' | 'paused' | 'cancelled' | 'done'
  readonly done: number
  readonly total: number
  /** What has come, once all of it has. */
  readonly file: Blob | null
}

/** Reads the journal as a stream: what this page does not read yet, the server does not make yet. */
export function useExport(session: Session<Club>, attempt: Attempt) {
  const [view, setView] = useState<ExportView | null>(null)
  const cancelling = useRef(new AbortController())
  const isPaused = useRef(false)
  const goOn = useRef<() => void>(() => undefined)

  const change = (changes: Partial<ExportView>) =>
    setView((view) => view && { ...view, ...changes })

  async function run() {
    cancelling.current = new AbortController()
    isPaused.current = false
    const { signal } = cancelling.current
    const lines: string[] = []
    setView({ state: 'running', done: 0, total: 1, file: null })
    for await (const part of session.perspective.exportJournal(signal)) {
      lines.push(...part.lines)
      change({ done: part.done, total: part.total })
      if (isPaused.current) await new Promise<void>((resolve) => (goOn.current = resolve))
      if (signal.aborted) break
    }
    if (signal.aborted) change({ state: 'cancelled' })
    else change({ state: 'done', file: new Blob([lines.join('\n')], { type: 'text/csv' }) })
  }

  return {
    view,
    start: () => void attempt(run()),
    pause: () => {
      isPaused.current = true
      change({ state: 'paused' })
    },
    resume: () => {
      isPaused.current = false
      goOn.current()
      change({ state: 'running' })
    },
    cancel: () => {
      cancelling.current.abort()
      goOn.current()
    },
    close: () => setView(null),
  }
}
