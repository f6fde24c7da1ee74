import { useSyncExternalStore } from 'react'
import type { Mirror } from 'fastify-perspective/client'

/** The state of a mirror, whenever it changes. What did not change in it is `===` what it was: `memo` sees that. */
export function useMirror<S>(mirror: Mirror<S>): S {
  return useSyncExternalStore(mirror.subscribe, () => mirror.state)
}
