import type { FastifyInstance } from 'fastify'

/** Warns once where a proxy is in front, as it seems, and `trustProxy` trusts nobody: all users would share its address. */
export function warnOfProxy(scope: FastifyInstance): void {
  let isTold = false
  scope.addHook('onRequest', (request, _reply, done) => {
    const isIgnored =
      request.headers['x-forwarded-for'] !== undefined &&
      request.ip === request.socket.remoteAddress
    if (isIgnored && !isTold) {
      isTold = true
      request.log.warn(
        'perspective: X-Forwarded-For comes and is not believed: behind a proxy all users share its address, and the ' +
          "limits of one; set Fastify's trustProxy to the proxy's addresses, never to true or a number",
      )
    }
    done()
  })
}
