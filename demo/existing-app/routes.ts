/** The app's own routes, as they were before. */
import type { FastifyInstance } from 'fastify'
import type { Shelf } from './shelf.js'

interface BookRoute {
  Params: { id: number }
}
const params = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] }

export function registerRoutes(app: FastifyInstance, shelf: Shelf): void {
  app.get('/api/books', () => shelf.books)

  app.post<BookRoute>('/api/books/:id/return', { schema: { params } }, (request, reply) => {
    if (!shelf.giveBack(request.params.id)) return reply.code(409).send({ message: 'not lent' })
    request.log.info({ book: request.params.id }, 'book returned')
    return reply.code(204).send()
  })
}
