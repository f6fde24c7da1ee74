import { useRef, useState } from 'react'
import type { Session } from 'fastify-perspective/client'
import type { Club, Member } from '../../../contract.js'
import type { Attempt } from '../club-page.js'
import { Face } from '../face.js'

interface MembersProps {
  readonly session: Session<Club>
  readonly attempt: Attempt
}

/** The administrator's switches: who may log in, by Django's own table. */
export function MembersButton({ session, attempt }: MembersProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [members, setMembers] = useState<readonly Member[]>([])
  const { perspective, user } = session

  async function load() {
    setMembers(await perspective.members())
  }

  async function open() {
    if (await attempt(load())) dialog.current?.showModal()
  }

  async function setActive(id: string, isActive: boolean) {
    await attempt(perspective.setActive(id, isActive).then(load))
  }

  return (
    <>
      <button className="button" type="button" onClick={() => void open()}>
        Members
      </button>
      <dialog ref={dialog} className="members" aria-labelledby="members-title">
        <h3 id="members-title">Who may log in</h3>
        <p className="quiet">
          Each switch is <code>is_active</code> in Django’s user table. Whoever is switched off
          loses the session at once.
        </p>
        <ul>
          {members.map(({ id, username, isActive }) => (
            <li key={id}>
              <label className="switch wide">
                <Face username={username} />
                <span>
                  {username}
                  {id === user.id && ' (you)'}
                </span>
                <input
                  type="checkbox"
                  role="switch"
                  checked={isActive}
                  disabled={id === user.id}
                  onChange={(event) => void setActive(id, event.target.checked)}
                />
              </label>
            </li>
          ))}
        </ul>
        <form method="dialog">
          <button className="button primary">Done</button>
        </form>
      </dialog>
    </>
  )
}
