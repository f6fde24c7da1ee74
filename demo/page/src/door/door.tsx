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
          You log in with a Django account. The server gets an object in this page, the page gets
          one on the server, and each calls the other’s methods.
        </p>
        <dl className="calls">
          <div>
            <dt>page → server</dt>
            <dd>
              <code>perspective.say(text)</code>
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
