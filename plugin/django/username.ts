import { InvalidOptionError } from './errors.js'

/** `max_length` of Django's username column, in code points. */
const MAX_LENGTH = 150

/** @throws InvalidOptionError `PB_ERR_OPT_INVALID` */
export function readMaxLength(length: number | undefined): number {
  if (length === undefined) return MAX_LENGTH
  if (Number.isInteger(length) && length >= 1 && length <= 1024) return length
  throw new InvalidOptionError('users.usernameMaxLength', 'a whole number from 1 to 1024', length)
}

// What Python's str.strip removes. Not String.trim: that drops U+FEFF, and keeps U+001C to U+001F and U+0085.
const SPACE = new Set(
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a' +
    '\u2028\u2029\u202f\u205f\u3000',
)

/**
 * Normalizes `username` as Django's login form does: strip, then NFKC unless it is longer than `maxLength` characters
 * (such a name is looked up as it is, CVE-2023-46695). Default 150, as the column of Django's own model. Source: `django/contrib/auth/forms.py`, `UsernameField.to_python`.
 */
export function normalizeUsername(username: string, maxLength: number = MAX_LENGTH): string {
  const stripped = stripSpace(username)
  return Array.from(stripped).length > maxLength ? stripped : stripped.normalize('NFKC')
}

// By index: `/\s+$/` takes quadratic time on a hostile run of spaces.
function stripSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && SPACE.has(text.charAt(start))) start++
  while (end > start && SPACE.has(text.charAt(end - 1))) end--
  return text.slice(start, end)
}
