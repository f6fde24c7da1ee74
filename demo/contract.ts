/** What the two sides of the demo offer each other. Types only: the server and the page both import it. */

/** A user who is here, on one page or on several. */
export interface Person {
  readonly id: string
  readonly username: string
  readonly pages: number
}

/** Something that was said. */
export interface Line {
  readonly id: number
  readonly from: string
  readonly text: string
  readonly at: Date
}

/** `none`: the time was up, or the question was put aside. `left`: the page went away before it answered. */
export type Answer = 'waiting' | 'yes' | 'no' | 'none' | 'left'

/** What one page answers; a user with two pages is asked on both. */
export interface Ballot {
  readonly page: number
  readonly username: string
  readonly answer: Answer
}

/** A question that the server has put to every page. */
export interface Question {
  readonly id: number
  readonly from: string
  readonly text: string
  /** How long the server waits for an answer. */
  readonly seconds: number
  readonly ballots: readonly Ballot[]
}

export interface Welcome {
  readonly people: readonly Person[]
  readonly lines: readonly Line[]
  readonly questions: readonly Question[]
}

/** What a page may call: its user's avatar. */
export interface Chat {
  say(text: string): void
  /** Asks every page; resolves when all have answered, have gone, or the time is up. */
  askEverybody(text: string): void
  /** Forgets what was said. Needs the Django permission `chat.delete_line`. */
  clear(): void
}

/** What the server may call: each page's mind. */
export interface ChatMind {
  welcome(welcome: Welcome): void
  /** Whether this user may clear the conversation. */
  permitted(mayClear: boolean): void
  present(people: readonly Person[]): void
  heard(line: Line): void
  cleared(by: string): void
  /** The server awaits the answer: yes, no, or none. */
  ask(question: Question): boolean | null
  asked(question: Question): void
  answered(questionId: number, ballot: Ballot): void
}
