const TINTS = 8

/** The number of a user's colour: always the same for the same name. */
export function tintOf(username: string): number {
  let hash = 0
  for (const character of username) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0
  return hash % TINTS
}

/** A user's initial on the user's colour. */
export function Face({ username }: { readonly username: string }) {
  return (
    <span className="face" data-tint={tintOf(username)} aria-hidden="true">
      {username.slice(0, 1).toUpperCase()}
    </span>
  )
}
