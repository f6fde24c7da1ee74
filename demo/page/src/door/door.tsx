import type { ReactNode } from 'react'
import { Mark } from '../mark.js'
import { Vista } from '../vista.js'

/** The way in: what this is, beside the card that the visitor has to deal with. */
export function Door({ children }: { readonly children: ReactNode }) {
  return (
    <div className="door">
      <header className="door-intro">
        <p className="brand">
          <Mark /> Perspective
        </p>
        <h1>
          Both ends of the line <em>are objects.</em>
        </h1>
        <p className="lead">
          A board for a small club. You log in with a Django account, the notes are objects on the
          server, your page holds them and calls them. And the server calls your page.
        </p>
        <dl className="calls">
          <div>
            <dt>page → server</dt>
            <dd>
              <code>await note.move(x, y)</code>
            </dd>
          </div>
          <div>
            <dt>server → page</dt>
            <dd>
              <code>await mind.ask(question)</code>
            </dd>
          </div>
        </dl>
        <Vista />
      </header>
      <main className="door-main">{children}</main>
    </div>
  )
}
