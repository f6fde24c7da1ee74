/** A floor seen in one-point perspective: rays to a vanishing point, and lines across. */
export function Vista() {
  const rays = Array.from({ length: 17 }, (_, index) => (index - 8) * 130)
  const depths = [0.06, 0.12, 0.2, 0.31, 0.46, 0.67, 0.94]
  return (
    <svg
      className="vista"
      viewBox="-320 -12 640 252"
      preserveAspectRatio="xMidYMin slice"
      aria-hidden="true"
    >
      <g className="vista-lines">
        {rays.map((x) => (
          <line key={x} x1="0" y1="0" x2={x} y2="240" />
        ))}
        {depths.map((depth) => (
          <line key={depth} x1="-1100" x2="1100" y1={depth * 240} y2={depth * 240} />
        ))}
      </g>
      <line className="vista-horizon" x1="-1100" x2="1100" />
      <circle className="vista-point" r="5" />
    </svg>
  )
}
