interface EndedProps {
  readonly why: string
  readonly onLogin: () => void
}

/** What is left of a session that ended without the user's wish. */
export function Ended({ why, onLogin }: EndedProps) {
  return (
    <section className="card" aria-labelledby="ended-title">
      <h2 id="ended-title">Your session has ended</h2>
      <p role="alert">{why}</p>
      <p className="quiet">A login opens one connection, once: to come back, log in again.</p>
      <button className="button primary wide" type="button" onClick={onLogin} autoFocus>
        Log in again
      </button>
    </section>
  )
}
