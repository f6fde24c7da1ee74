import type { Person } from '../../../contract.js'
import { Face } from '../face.js'

interface PeopleProps {
  readonly people: readonly Person[]
  /** The user of this page. */
  readonly userId: string
}

/** Who is here now. */
export function People({ people, userId }: PeopleProps) {
  return (
    <aside className="panel people" aria-labelledby="people-title">
      <header className="panel-head">
        <h2 id="people-title">Here now</h2>
        <span className="count">{people.length}</span>
      </header>
      <ul aria-live="polite">
        {people.map(({ id, username, pages }) => (
          <li key={id}>
            <Face username={username} />
            <span className="person-name">{username}</span>
            <span className="person-note">
              {id === userId && 'you'}
              {id === userId && pages > 1 && ', '}
              {pages > 1 && `${String(pages)} pages`}
            </span>
          </li>
        ))}
      </ul>
    </aside>
  )
}
