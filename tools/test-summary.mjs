// A reporter for node's test runner: one JSON line for each skipped and each failed test, then one with
// the counts. Without it tools/test.mjs cannot tell a skipped browser suite from a passed one: node counts
// a skipped suite as nothing at all; and failures would stand above a long table of coverage.

import { relative } from 'node:path'
import { projectFolder } from './install.mjs'

/**
 * Yields `{ skipped: { name, file, reason } }` and `{ failed: { name, file, reason } }` lines and, last,
 * `{ counts: { pass, fail, ... } }`.
 *
 * @param {AsyncIterable<{ type: string, data: any }>} events
 */
export default async function* summarize(events) {
  const counts = {}
  for await (const { type, data } of events) {
    const file = data.file ? relative(projectFolder, data.file) : ''
    if (type === 'test:pass' && data.skip !== undefined && data.skip !== false) {
      const reason = typeof data.skip === 'string' ? data.skip : ''
      yield `${JSON.stringify({ skipped: { name: data.name, file, reason } })}\n`
    }
    const error = type === 'test:fail' ? data.details.error : undefined
    // A suite fails with its tests, which have said why.
    if (error !== undefined && error.failureType !== 'subtestsFailed') {
      const cause = error.cause ?? error
      const reason = String(cause.stack ?? cause)
      yield `${JSON.stringify({ failed: { name: data.name, file, reason } })}\n`
    }
    // The runner's own closing lines are diagnostics of the outermost level: `pass 12`.
    const total =
      type === 'test:diagnostic' && data.nesting === 0 && data.message.match(/^(\w+) (\d+)$/)
    if (total) counts[total[1]] = Number(total[2])
  }
  yield `${JSON.stringify({ counts })}\n`
}
