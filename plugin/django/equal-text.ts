import { createHash, timingSafeEqual } from 'node:crypto'

/** Compares two texts in a time that does not depend on where they differ. Source: `constant_time_compare`. */
export function isEqualText(one: string, other: string): boolean {
  // Digests have one length, which timingSafeEqual demands.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
