/** What was added to the app: what the server and the page of the lending desk offer each other. */
import type { Cacheable } from 'fastify-perspective/broker'
import type { Book } from './shelf.js'

export interface Desk {
  /** Mirrored: the page has the shelf, and then every change of it, wherever it comes from. */
  books(): Cacheable<readonly Book[]>
  lend(bookId: number): void
}
