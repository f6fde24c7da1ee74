import type { ReactNode } from 'react'
import { Mark } from '../mark.js'

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
          You log in with a Django account. The server gets an object in this page, the page gets one on the
          server, and each calls the other’s methods.
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

/** A floor seen in one-point perspective: rays to a vanishing point, and lines across. */
function Vista() {
  const rays = Array.from({ length: 17 }, (_, index) => (index - 8) * 130)
  const depths = [0.06, 0.12, 0.2, 0.31, 0.46, 0.67, 0.94]
  return (
    <svg className="vista" viewBox="-320 0 640 240" preserveAspectRatio="xMidYMin slice" aria-hidden="true">
      <g className="vista-lines">
        {rays.map((x) => (
          <line key={x} x1="0" y1="0" x2={x} y2="240" />
        ))}
        {depths.map((depth) => (
          <line key={depth} x1="-1100" x2="1100" y1={depth * 240} y2={depth * 240} />
        ))}
      </g>
      <circle className="vista-point" r="5" />
    </svg>
  )
}
