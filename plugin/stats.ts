/** `app.perspective.stats()`: what the plugin holds now, and what it has counted. */
import type { Counts } from './observation.js'
import type { SessionRegistry } from './session/sessions.js'

export interface PerspectiveStats extends Counts {
  /** Open sessions. */
  readonly sessions: number
  /** Connections on their way to a session, or out of one. */
  readonly admissions: number
  /** Calls of pages that run. */
  readonly calls: number
  /** Objects lent to pages, and held from them. */
  readonly references: number
  /** Streams open either way. */
  readonly streams: number
  /** Seconds since every user's row was last looked at; 0 without sessions. Over `revalidateSeconds`: the database is away. */
  readonly authorityAge: number
}

/** Looks at every session: some milliseconds where there are ten thousand. */
export function readStats(
  registry: SessionRegistry,
  counts: Counts,
  authorityAge: number,
): PerspectiveStats {
  let [calls, references, streams] = [0, 0, 0]
  for (const { stats } of registry.entries()) {
    if (stats === null) continue
    calls += stats.running
    references += stats.exported + stats.imported
    streams += stats.streams
  }
  const { count: sessions, slots } = registry
  const admissions = slots - sessions
  return Object.freeze({
    sessions,
    admissions,
    calls,
    references,
    streams,
    authorityAge,
    ...counts,
  })
}
