/** The mark: a horizon, its vanishing point, and the lines that run to it. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect className="mark-ground" width="32" height="32" rx="8" />
      <path className="mark-rays" d="M6 26 16 10l10 16M16 10v16M3 20.5 16 10l13 10.5" />
      <path className="mark-horizon" d="M5 10h22" />
      <circle className="mark-point" cx="16" cy="10" r="3.5" />
    </svg>
  )
}
