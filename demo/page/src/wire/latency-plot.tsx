const WIDTH = 320
const HEIGHT = 64
const SLOTS = 80

/** How long the last calls took: a bar for each, the newest at the right. */
export function LatencyPlot({ latencies }: { readonly latencies: readonly number[] }) {
  const sorted = [...latencies].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)]
  // One that waited for a sleeping disk must not flatten all others: it is cut off.
  const top = niceTop(sorted[Math.floor(sorted.length * 0.95)] ?? 1)
  const text =
    median === undefined
      ? 'no call yet'
      : `median ${median.toFixed(1)} ms of ${latencies.length} ${latencies.length === 1 ? 'call' : 'calls'}`
  const first = SLOTS - latencies.length
  return (
    <figure className="latency">
      <figcaption>
        <span>Call latency</span> <span className="quiet">{text}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={text}
      >
        <line className="latency-grid" x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} />
        <line className="latency-grid" x2={WIDTH} y1="0.5" y2="0.5" />
        {latencies.map((ms, index) => {
          const height = Math.max(2, Math.min(1, ms / top) * HEIGHT)
          const x = ((first + index) * WIDTH) / SLOTS
          return (
            <rect key={index} x={x} y={HEIGHT - height} width={WIDTH / SLOTS - 1} height={height} />
          )
        })}
      </svg>
      <span className="latency-top">{top} ms</span>
    </figure>
  )
}

/** 1, 2 or 5 times a power of ten. */
function niceTop(max: number): number {
  const power = 10 ** Math.floor(Math.log10(max))
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= max) ?? max
}
