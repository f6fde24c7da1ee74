/** Acknowledgements by `emitWithAck`, as socket.io's documentation shows them, over the WebSocket transport alone. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import type { Contender, Count, DriveOrder } from '../contender.js'
import { drive } from '../load.js'
import { listen } from './socket-server.js'

type Acknowledge = (value: unknown) => void

const echo = (value: unknown, acknowledge: Acknowledge): void => acknowledge(value)

export const socketIo: Contender = {
  name: 'socket.io',
  serve: async () => {
    const http = createServer()
    new Server(http).on('connection', (socket) => {
      socket.on('echo', echo)
      socket.on('drive', (order: DriveOrder, acknowledge: Acknowledge) => {
        const back = (value: unknown): Promise<unknown> => socket.emitWithAck('echo', value)
        void drive(back, order).then(acknowledge, (error: unknown) => acknowledge(String(error)))
      })
    })
    return listen(http)
  },
  connect: async (port) => {
    const socket = io(`ws://127.0.0.1:${String(port)}`, {
      transports: ['websocket'],
      // Otherwise all connections to one address are one.
      forceNew: true,
      reconnection: false,
    })
    socket.on('echo', echo)
    await once(socket as never, 'connect')
    return {
      echo: (value) => socket.emitWithAck('echo', value),
      drive: async (order) => {
        const count: unknown = await socket.emitWithAck('drive', order)
        if (typeof count === 'string') throw new Error(count)
        return count as Count
      },
      close: () => void socket.disconnect(),
    }
  },
}
