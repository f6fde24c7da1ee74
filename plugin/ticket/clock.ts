import { performance } from 'node:perf_hooks'

/** The time in ms since 1970; never goes back, so that a used ticket is never valid again. */
export type Clock = () => number

/** The wall clock as far as it goes forward: one that is set back by an administrator is not followed. */
export function startClock(): Clock {
  let offset = Date.now() - performance.now()
  return () => {
    offset = Math.max(offset, Date.now() - performance.now())
    return offset + performance.now()
  }
}
