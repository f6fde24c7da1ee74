/** The club's journal: long, and exported piece by piece as fast as a page reads it. */
import { setTimeout as delay } from 'node:timers/promises'
import type { JournalPart } from '../contract.js'

const KEPT_LINES = 20_000
const PART_LINES = 100
/** What a page of a real query would take. */
const PART_MS = 40

export class Journal {
  readonly #lines: string[] = []

  write(who: string, what: string, at: Date = new Date()): void {
    this.#lines.push(`${at.toISOString()},${who},${what}`)
    if (this.#lines.length > KEPT_LINES) this.#lines.splice(0, KEPT_LINES / 10)
  }

  /** The page's reading drives it: where the page pauses, so does this generator, at a `yield`. */
  async *export(signal: AbortSignal): AsyncGenerator<JournalPart> {
    const lines = [...this.#lines]
    for (let start = 0; start < lines.length && !signal.aborted; start += PART_LINES) {
      await delay(PART_MS)
      const part = lines.slice(start, start + PART_LINES)
      yield { lines: part, done: start + part.length, total: lines.length }
    }
  }
}
