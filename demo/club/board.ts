/** The board: its notes are objects that pages hold by reference; how it looks is mirrored at every page. */
import {
  Avatar,
  Cacheable,
  currentCall,
  type Local,
  Referenceable,
  RemoteError,
  type RemoteMethods,
} from 'fastify-perspective'
import { z } from 'zod'
import { COLOURS, type Card, type Cards, type Colour, type Note } from '../contract.js'
import type { Journal } from './journal.js'

export const PLACE = z.number().min(0).max(1000)
const MAX_NOTES = 60

export class LiveNote extends Referenceable implements Local<Note> {
  static readonly remote: RemoteMethods<Note> = {
    move: [PLACE, PLACE],
    write: [z.string().max(120)],
    paint: [z.enum(COLOURS)],
    remove: true,
  }
  readonly #board: Board
  readonly #name: string

  constructor(board: Board, name: string) {
    super()
    this.#board = board
    this.#name = name
  }

  move(x: number, y: number) {
    this.#board.change(this.#name, { x, y }, 'moved')
  }

  write(text: string) {
    this.#board.change(this.#name, { text }, 'wrote on')
  }

  paint(colour: Colour) {
    this.#board.change(this.#name, { colour }, 'painted')
  }

  remove() {
    this.#board.remove(this.#name)
  }
}

export class Board extends Cacheable<Cards> {
  readonly #journal: Journal
  #lastNote = 0
  #topLevel = 0

  constructor(journal: Journal) {
    super({})
    this.#journal = journal
  }

  add(colour: Colour, by: string, card: Partial<Card> = {}): void {
    if (Object.keys(this.state).length >= MAX_NOTES) {
      // A RemoteError crosses as it is; any other error reaches the page as a number in our log.
      throw new RemoteError('FULL', `The board is full: ${MAX_NOTES} notes.`)
    }
    const name = `note${++this.#lastNote}`
    const [x, y] = [randomPlace(), randomPlace()]
    const note = new LiveNote(this, name)
    const level = ++this.#topLevel
    this.update({ ...this.state, [name]: { note, by, text: '', colour, x, y, level, ...card } })
    this.#journal.write(by, `added ${name}`)
  }

  /** A note that was removed meanwhile stays removed, whoever still holds it. */
  change(name: string, changes: Partial<Card>, what: string): void {
    const card = this.state[name]
    if (card === undefined) return
    const level = card.level === this.#topLevel ? card.level : ++this.#topLevel
    this.update({ ...this.state, [name]: { ...card, ...changes, level } })
    this.#journal.write(caller(), `${what} ${name}`)
  }

  remove(name: string): void {
    const { [name]: removed, ...others } = this.state
    if (removed === undefined) return
    this.update(others)
    this.#journal.write(caller(), `removed ${name}`)
  }

  clear(by: string): void {
    this.update({})
    this.#journal.write(by, 'cleared the board')
  }
}

/** Whose page makes the call that is being served. */
function caller(): string {
  const { caller } = currentCall()
  return caller instanceof Avatar ? caller.user.username : 'nobody'
}

const randomPlace = () => 250 + Math.round(Math.random() * 500)
