import type { Mirror } from 'fastify-perspective/client'
import type { Person } from '../../../contract.js'
import { Face } from '../face.js'
import { useMirror } from '../session/use-mirror.js'

interface PeopleProps {
  readonly presence: Mirror<readonly Person[]>
  /** The user of this page. */
  readonly userId: string
}

/** Who is here now. */
export function People({ presence, userId }: PeopleProps) {
  const people = useMirror(presence)
  return (
    <ul className="people" aria-label="Here now" aria-live="polite">
      {people.map(({ id, username, pages }) => (
        <li key={id} className="person">
          <Face username={username} />
          <span className="person-name">
            {username}
            {id === userId && <span className="person-note"> (you)</span>}
            {pages > 1 && <span className="person-note"> × {pages}</span>}
          </span>
        </li>
      ))}
    </ul>
  )
}
