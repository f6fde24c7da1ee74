/** `GET <prefix>/client.js`: the page's side as one module, for pages without a bundler. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { readableBy } from './cors.js'

/** Registers the route; the module is read once. Modules are asked for with CORS: pages of `origins` may load it. */
export async function registerClientRoute(
  scope: FastifyInstance,
  origins: ReadonlySet<string>,
): Promise<void> {
  await registerModule(scope, origins, '/client.js', '../client.min.js')
}

/** Registers `GET <prefix>/hashed-password.js`, which `client.js` imports when it is needed. */
export async function registerHashedPasswordModule(
  scope: FastifyInstance,
  origins: ReadonlySet<string>,
): Promise<void> {
  await registerModule(scope, origins, '/hashed-password.js', '../hashed-password.js')
}

async function registerModule(
  scope: FastifyInstance,
  origins: ReadonlySet<string>,
  url: string,
  file: string,
): Promise<void> {
  const code = await readFile(new URL(file, import.meta.url))
  const etag = `"${createHash('sha256').update(code).digest('base64url').slice(0, 22)}"`
  scope.get(url, readableBy(origins), (request, reply) => {
    reply.headers({
      etag,
      // Asked for anew each time, and answered by 304: a deploy changes server and client together.
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    })
    if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send()
    return reply.type('text/javascript; charset=utf-8').send(code)
  })
}

/** RFC 9110 section 13.1.2: a list, compared weakly; a proxy that compresses makes the tag a weak one. */
function isKnown(tags: string | undefined, etag: string): boolean {
  return (tags ?? '').split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()))
}
