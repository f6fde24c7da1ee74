import { useEffect, useState } from 'react'

const THEMES = ['system', 'light', 'dark'] as const
const SIGNS = { system: '◐', light: '☀', dark: '☾' }

/** Light, dark, or as the system says. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<(typeof THEMES)[number]>('system')

  useEffect(() => {
    document.documentElement.dataset['theme'] = theme
  }, [theme])

  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system'
  return (
    <button
      className="button on-field round"
      type="button"
      aria-label={`Colours: ${theme}. Change to ${next}`}
      title={`Colours: ${theme}`}
      onClick={() => setTheme(next)}
    >
      <span aria-hidden="true">{SIGNS[theme]}</span>
    </button>
  )
}
