/** The app's own data, as it was before: a shelf of books that can be lent, and who wants to hear of it. */
import { EventEmitter } from 'node:events'

export interface Book {
  readonly id: number
  readonly title: string
  readonly lentTo: string | null
}

export class Shelf extends EventEmitter<{ change: [readonly Book[]] }> {
  #books: readonly Book[] = [
    'The Difference Engine',
    'A Manual of Operation',
    'Linux in Brief',
  ].map((title, index) => ({ id: index + 1, title, lentTo: null }))

  get books(): readonly Book[] {
    return this.#books
  }

  /** @returns False where there is no such book, or somebody has it. */
  lend(id: number, to: string): boolean {
    return this.#change(id, null, to)
  }

  giveBack(id: number): boolean {
    const book = this.#books.find((book) => book.id === id)
    return book?.lentTo != null && this.#change(id, book.lentTo, null)
  }

  #change(id: number, from: string | null, to: string | null): boolean {
    if (!this.#books.some((book) => book.id === id && book.lentTo === from)) return false
    this.#books = this.#books.map((book) => (book.id === id ? { ...book, lentTo: to } : book))
    this.emit('change', this.#books)
    return true
  }
}
