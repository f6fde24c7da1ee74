/** What the page that Django renders and the live service offer each other. */
export interface Clubhouse {
  /** Tells every page; answers on how many it was heard. */
  say(text: string): number
}

export interface ClubhouseMind {
  heard(from: string, text: string): void
  /** Once a second: how long this connection has been open. */
  ticked(seconds: number): void
}
