const TINTS = 8

/** A user's initial on a colour that is always the same for the same name. */
export function Face({ username }: { readonly username: string }) {
  let hash = 0
  for (const character of username) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0
  return (
    <span className="face" data-tint={hash % TINTS} aria-hidden="true">
      {username.slice(0, 1).toUpperCase()}
    </span>
  )
}
