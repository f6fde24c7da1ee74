/** What the two sides of the demo offer each other. Both import it; it drags neither into the other's world. */
import type { Cacheable, Referenceable } from 'fastify-perspective/broker'

export const COLOURS = ['lemon', 'peach', 'mint', 'sky', 'lilac'] as const
export type Colour = (typeof COLOURS)[number]

/** A note is an object on the server. Pages hold it by reference and call it. */
export interface Note extends Referenceable {
  /** Thousandths of the way that a note can go on the board: from the left, from the top. */
  move(x: number, y: number): void
  write(text: string): void
  paint(colour: Colour): void
  remove(): void
}

/** What there is to see of a note, and the reference to call it by. */
export interface Card {
  readonly note: Note
  readonly by: string
  readonly text: string
  readonly colour: Colour
  readonly x: number
  readonly y: number
  /** What was touched last lies on top. */
  readonly level: number
}
/** The board as every page mirrors it: the notes by their names. */
export type Cards = Readonly<Record<string, Card>>

/** A user who is here, on one page or on several. */
export interface Person {
  readonly id: string
  readonly username: string
  readonly pages: number
}

/** What a page needs when it comes, and again when it comes back. */
export interface Welcome {
  readonly board: Cacheable<Cards>
  readonly presence: Cacheable<readonly Person[]>
  readonly mayClear: boolean
  readonly mayManage: boolean
}

/** Where somebody points, in the measure of {@link Note.move}. */
export interface Pointer {
  readonly page: number
  readonly username: string
  readonly x: number
  readonly y: number
}

export interface Question {
  readonly from: string
  readonly text: string
}
/** `none`: no answer in time. `left`: the page went away before it answered. */
export type Answer = 'yes' | 'no' | 'none' | 'left'
/** What one page has answered; a user with two pages is asked on both. */
export interface Ballot {
  readonly page: number
  readonly username: string
  readonly answer: Answer
}
export interface Poll {
  /** Whom the server asks: the ballots that are to come, without their answers. */
  readonly asked: readonly Omit<Ballot, 'answer'>[]
  /** The answers, each as soon as it is given. */
  readonly ballots: AsyncIterable<Ballot>
}

/** A piece of the club's journal. */
export interface JournalPart {
  readonly lines: readonly string[]
  readonly done: number
  readonly total: number
}

/** A row of Django's user table, for those who may change it. */
export interface Member {
  readonly id: string
  readonly username: string
  readonly isActive: boolean
}

/** What a page may call: its user's avatar. */
export interface Club {
  enter(): Welcome
  add(colour: Colour): void
  point(x: number, y: number): void
  /** Puts a question to every page, this one too. The signal takes it back. */
  ask(text: string, signal: AbortSignal): Poll
  /** Everything that ever happened here, as fast as the page reads it. */
  exportJournal(signal: AbortSignal): AsyncIterable<JournalPart>
  /** Needs the Django permission `board.clear_board`. */
  clear(): void
  /** Both need the Django permission `auth.change_user`. */
  members(): readonly Member[]
  setActive(memberId: string, isActive: boolean): void
}

/** What the server may call: each page's mind. */
export interface ClubMind {
  pointed(pointer: Pointer): void
  cleared(by: string): void
  /** The server awaits the answer; when the signal aborts nobody does any more. */
  ask(question: Question, signal: AbortSignal): boolean | null
}
