import { useLayoutEffect, useRef } from 'react'
import { useStore } from '../store.js'
import { LatencyPlot } from './latency-plot.js'
import type { WireLine, WireLog } from './wire-log.js'

/** What goes over the wire, as it goes. */
export function WirePanel({ log }: { readonly log: WireLog }) {
  const { lines, latencies, frames } = useStore(log.view)
  const list = useRef<HTMLOListElement>(null)

  useLayoutEffect(() => {
    list.current?.scrollTo(0, list.current.scrollHeight)
  }, [lines])

  return (
    <section className="panel wire" aria-labelledby="wire-title">
      <header className="panel-head">
        <h2 id="wire-title">On the wire</h2>
        <span className="quiet">
          {frames.sent} frames out, {frames.received} in
        </span>
        <button className="button small" type="button" onClick={log.clear}>
          Empty
        </button>
      </header>
      <LatencyPlot latencies={latencies} />
      <ol className="wire-lines" ref={list} tabIndex={0} aria-label="Frames in words">
        {lines.map((line) => (
          <Line key={line.id} line={line} />
        ))}
      </ol>
    </section>
  )
}

function Line({ line: { isSent, verb, what, count } }: { readonly line: WireLine }) {
  return (
    <li className="wire-line" data-sent={isSent}>
      <span className="wire-way">{isSent ? 'page → server' : 'server → page'}</span>
      <span className="wire-words">
        <b>{verb}</b> {what}
      </span>
      {count > 1 && <span className="wire-count">× {count}</span>}
    </li>
  )
}
