import { type KeyboardEvent, type PointerEvent, type RefObject, useRef, useState } from 'react'
import type { Remote } from 'fastify-perspective/client'
import type { Note } from '../../../contract.js'
import type { Attempt } from '../club-page.js'
import { type Place, scaleOf, within } from './place.js'

const STEP = 20
const ARROWS: Record<string, Place> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
}

/** Moves a note by pointer and by arrow keys: shown at once, sent one call at a time, each with the newest place. */
export function useMove(
  note: Remote<Note>,
  place: Place,
  surface: RefObject<HTMLElement | null>,
  attempt: Attempt,
) {
  /** Where this page has put it, until the server's word has caught up. */
  const [held, setHeld] = useState<Place | null>(null)
  const grip = useRef<Place | null>(null)
  const next = useRef<Place | null>(null)
  const isSending = useRef(false)
  const shown = held ?? place

  async function move(to: Place) {
    next.current = within(to)
    setHeld(next.current)
    if (isSending.current) return
    isSending.current = true
    while (next.current !== null) {
      const { x, y } = next.current
      next.current = null
      if (!(await attempt(note.move(x, y)))) next.current = null
    }
    isSending.current = false
    // The mirror was told before the call was answered.
    if (grip.current === null) setHeld(null)
  }

  return {
    shown,
    isHeld: grip.current !== null,
    handlers: {
      onPointerDown(event: PointerEvent<HTMLElement>) {
        if (event.button !== 0 || surface.current === null) return
        if ((event.target as HTMLElement).closest('button, textarea') !== null) return
        const scale = scaleOf(surface.current)
        grip.current = {
          x: shown.x - event.clientX * scale.x,
          y: shown.y - event.clientY * scale.y,
        }
        event.currentTarget.focus()
        event.currentTarget.setPointerCapture(event.pointerId)
      },
      onPointerMove(event: PointerEvent<HTMLElement>) {
        if (grip.current === null || surface.current === null) return
        const scale = scaleOf(surface.current)
        void move({
          x: event.clientX * scale.x + grip.current.x,
          y: event.clientY * scale.y + grip.current.y,
        })
      },
      onLostPointerCapture() {
        grip.current = null
        if (!isSending.current) setHeld(null)
      },
    },
    onArrow: (event: KeyboardEvent): boolean => {
      const way = ARROWS[event.key]
      if (way === undefined) return false
      event.preventDefault()
      const step = event.shiftKey ? STEP * 5 : STEP
      const from = next.current ?? shown
      void move({ x: from.x + way.x * step, y: from.y + way.y * step })
      return true
    },
  }
}
