/** Places on the board: thousandths of the way that a note can go, so that every screen shows the same. */

export interface Place {
  readonly x: number
  readonly y: number
}

interface Point {
  readonly clientX: number
  readonly clientY: number
}

/** What one pixel is, on a surface with notes of this size. */
export function scaleOf(surface: HTMLElement): Place {
  const note = Number.parseFloat(getComputedStyle(surface).getPropertyValue('--note')) || 1
  const { width, height } = surface.getBoundingClientRect()
  return { x: 1000 / Math.max(1, width - note), y: 1000 / Math.max(1, height - note) }
}

/** Where a note would be whose middle is at this point. */
export function placeOf({ clientX, clientY }: Point, surface: HTMLElement): Place {
  const { left, top, width, height } = surface.getBoundingClientRect()
  const scale = scaleOf(surface)
  const noteWidth = width - 1000 / scale.x
  const noteHeight = height - 1000 / scale.y
  return within({
    x: (clientX - left - noteWidth / 2) * scale.x,
    y: (clientY - top - noteHeight / 2) * scale.y,
  })
}

export function within({ x, y }: Place): Place {
  const clamp = (value: number) => Math.round(Math.min(1000, Math.max(0, value)) * 10) / 10
  return { x: clamp(x), y: clamp(y) }
}
