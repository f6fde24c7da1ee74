import { useLayoutEffect, useState } from 'react'

/** Whole seconds left until a time of `Date.now()`, counted down to 0. */
export function useSecondsUntil(time: number): number {
  const [now, setNow] = useState(Date.now)
  const seconds = Math.max(0, Math.ceil((time - now) / 1000))
  const isOver = seconds === 0
  useLayoutEffect(() => {
    setNow(Date.now())
  }, [time])
  useLayoutEffect(() => {
    if (isOver) return
    const timer = setInterval(() => setNow(Date.now()), 250)
    return () => clearInterval(timer)
  }, [isOver])
  return seconds
}
