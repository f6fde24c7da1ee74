/** Set up as tRPC's documentation does under "WebSockets"; its server calls nothing at a client. */
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { createServer } from 'node:http'
import { WebSocket, WebSocketServer } from 'ws'
import type { Contender } from '../contender.js'
import { listen } from './socket-server.js'

const t = initTRPC.create()
const router = t.router({
  // A parser is asked for before there is an input; this one takes all, as the others do.
  echo: t.procedure.input((value: unknown) => value).mutation(({ input }) => input),
})

export const trpc: Contender = {
  name: 'tRPC',
  serve: () => {
    const http = createServer()
    applyWSSHandler({ wss: new WebSocketServer({ server: http }), router })
    return listen(http)
  },
  connect: async (port) => {
    let onOpen!: () => void
    const opened = new Promise<void>((resolve) => (onOpen = resolve))
    const client = createWSClient({
      url: `ws://127.0.0.1:${String(port)}`,
      // Node 20 has none of its own.
      WebSocket: WebSocket as never,
      onOpen,
    })
    const desk = createTRPCClient<typeof router>({ links: [wsLink({ client })] })
    await opened
    return {
      echo: (value) => desk.echo.mutate(value),
      drive: () => Promise.reject(new Error('tRPC has no call from a server to its client')),
      close: () => void client.close(),
    }
  },
}
