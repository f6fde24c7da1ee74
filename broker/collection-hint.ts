/**
 * References that nobody holds any more are found by the garbage collector, which knows nothing of the peer's tables: with
 * a large heap it may not look for minutes, while a page that passes a new callback with each call fills them. Memory
 * asked for and dropped, and never touched, makes it look: engines count it, and no page of it is ever mapped.
 */
const LEAST_BYTES = 64 * 1024 * 1024
const MOST_BYTES = 512 * 1024 * 1024
/** A peer that makes us look has to wait: a collection takes milliseconds, in which nobody else is served. */
const MIN_INTERVAL_MS = 100

let lastHintAt = 0
let bytes = LEAST_BYTES
/** Written and never read: an allocation that nobody could see might be left out. */
export let dropped: ArrayBuffer | null = null

/** Asks for a collection soon, each time more urgently until one has found something. */
export function hintCollection(): void {
  const now = Date.now()
  if (now - lastHintAt < MIN_INTERVAL_MS) return
  lastHintAt = now
  try {
    dropped = new ArrayBuffer(bytes)
    dropped = null
    bytes = Math.min(bytes * 2, MOST_BYTES)
  } catch {
    // As little memory as that will bring the collector by itself.
    bytes = LEAST_BYTES
  }
}

/** A reference was collected. */
export function collectionSeen(): void {
  bytes = LEAST_BYTES
}
