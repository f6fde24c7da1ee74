import { useSyncExternalStore } from 'react'
import type { Mirror, Received } from 'fastify-perspective/client'

/** The state of a mirror, whenever it changes. What did not change in it is `===` what it was: `memo` sees that. */
export function useMirror<S>(mirror: Mirror<S>): Received<S> {
  // The references in a state have come over the wire, too.
  return useSyncExternalStore(mirror.subscribe, () => mirror.state) as Received<S>
}
