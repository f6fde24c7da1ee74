/**
 * An app that was there before: its logger, its hooks, its error handler, its routes, its page. What it got is one
 * line, `registerLive`, and the two files live.ts and contract.ts.
 */
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { type LiveOptions, registerLive } from './live.js'
import { registerRoutes } from './routes.js'
import { Shelf } from './shelf.js'

export async function buildApp(
  logger: NonNullable<FastifyServerOptions['logger']>,
  options: LiveOptions,
): Promise<FastifyInstance> {
  const app = Fastify({ logger })
  const shelf = new Shelf()

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.addHook('onResponse', async (request, reply) => {
    request.log.info({ url: request.url, ms: Math.round(reply.elapsedTime) }, 'answered')
  })
  app.setErrorHandler((error, request, reply) => {
    request.log.error(error)
    void reply.code(500).send({ message: 'Something went wrong at the desk.' })
  })
  registerRoutes(app, shelf)
  await registerLive(app, shelf, options)
  await app.register(fastifyStatic, { root: fileURLToPath(new URL('public', import.meta.url)) })
  return app
}
