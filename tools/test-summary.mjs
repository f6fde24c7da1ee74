// A reporter for node's test runner: one JSON line for each skipped test, then one with the counts.
// Without it tools/test.mjs cannot tell a skipped browser suite from a passed one: node counts a
// skipped suite as nothing at all.

import { relative } from 'node:path'
import { projectFolder } from './install.mjs'

/**
 * Yields `{ skipped: { name, file, reason } }` lines and, last, `{ counts: { pass, fail, ... } }`.
 *
 * @param {AsyncIterable<{ type: string, data: any }>} events
 */
export default async function* summarize(events) {
  const counts = {}
  for await (const { type, data } of events) {
    if (type === 'test:pass' && data.skip !== undefined && data.skip !== false) {
      const file = data.file ? relative(projectFolder, data.file) : ''
      const reason = typeof data.skip === 'string' ? data.skip : ''
      yield `${JSON.stringify({ skipped: { name: data.name, file, reason } })}\n`
    }
    // The runner's own closing lines are diagnostics of the outermost level: `pass 12`.
    const total =
      type === 'test:diagnostic' && data.nesting === 0 && data.message.match(/^(\w+) (\d+)$/)
    if (total) counts[total[1]] = Number(total[2])
  }
  yield `${JSON.stringify({ counts })}\n`
}
