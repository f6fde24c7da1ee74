/** Reads single values of options; every error names the option, what was expected and what came, never a secret. */
import { InvalidOptionError } from './django/index.js'

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID` */
export function readInteger(option: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most)
    return value
  const shown = typeof value === 'number' ? String(value) : undefined
  throw new InvalidOptionError(
    option,
    `a whole number from ${String(least)} to ${String(most)}`,
    value,
    shown,
  )
}

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID` */
export function readNumber(option: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  const shown = typeof value === 'number' ? String(value) : undefined
  throw new InvalidOptionError(
    option,
    `a number from ${String(least)} to ${String(most)}`,
    value,
    shown,
  )
}

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID` */
export function readBoolean(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new InvalidOptionError(option, 'true or false', value)
}

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID` */
export function refuseUnknown(prefix: string, given: object, known: ReadonlySet<string>): void {
  for (const name of Object.keys(given)) {
    if (known.has(name)) continue
    throw new InvalidOptionError(
      `${prefix}${name}`,
      `one of ${[...known].join(', ')}`,
      name,
      'an unknown name',
    )
  }
}

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID` */
export function readText(option: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidOptionError(option, 'a text that is not empty', value)
}
