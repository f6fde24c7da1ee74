import type { CSSProperties } from 'react'
import type { Pointer } from '../../../contract.js'
import { tintOf } from '../face.js'
import { type Store, useStore } from '../store.js'

interface PointersProps {
  readonly pointers: Store<readonly Pointer[]>
}

/** Where the others point, with their names. */
export function Pointers({ pointers }: PointersProps) {
  return useStore(pointers).map(({ page, username, x, y }) => (
    <div
      key={page}
      className="pointer"
      data-tint={tintOf(username)}
      style={{ '--x': x, '--y': y } as CSSProperties}
      aria-hidden="true"
    >
      <svg viewBox="0 0 16 16">
        <path d="M1 1l5 14 2.2-6L14 6.6z" />
      </svg>
      <span className="pointer-name">{username}</span>
    </div>
  ))
}
