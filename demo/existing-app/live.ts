/** What was added to the app: Django's users log in from the desk's page, and see the shelf as it changes. */
import type { FastifyInstance } from 'fastify'
import perspective, {
  Avatar,
  type AvatarSession,
  Cacheable,
  type Local,
  RemoteError,
  type RemoteMethods,
} from 'fastify-perspective'
import type { Pool } from 'pg'
import { z } from 'zod'
import type { Desk } from './contract.js'
import type { Book, Shelf } from './shelf.js'

/** The shelf as pages mirror it; the app's own routes change it, too, and know nothing of this. */
class LiveShelf extends Cacheable<readonly Book[]> {
  constructor(shelf: Shelf) {
    super(shelf.books)
    shelf.on('change', (books) => {
      this.update(books)
    })
  }
}

class DeskAvatar extends Avatar implements Local<Desk> {
  static readonly remote: RemoteMethods<Desk> = { books: true, lend: [z.int()] }
  readonly #shelf: Shelf
  readonly #live: LiveShelf

  constructor(session: AvatarSession, shelf: Shelf, live: LiveShelf) {
    super(session)
    this.#shelf = shelf
    this.#live = live
  }

  books() {
    return this.#live
  }

  lend(bookId: number) {
    if (!this.#shelf.lend(bookId, this.user.username))
      throw new RemoteError('NOT_THERE', 'That book is not on the shelf.')
    this.session.log.info({ book: bookId }, 'book lent')
  }
}

export interface LiveOptions {
  readonly pool: Pool
  readonly ticketSecret: string
  /** Of the page, such as `https://desk.example.com`. */
  readonly origin: string
}

export async function registerLive(app: FastifyInstance, shelf: Shelf, options: LiveOptions) {
  const live = new LiveShelf(shelf)
  await app.register(perspective, {
    prefix: '/perspective',
    database: options.pool,
    ticket: { secret: options.ticketSecret },
    allowedOrigins: [options.origin],
    realm: (session) => new DeskAvatar(session, shelf, live),
  })
}
