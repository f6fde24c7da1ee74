/** Set up as birpc's README does under "Using WebSocket". */
import { createBirpc } from 'birpc'
import type { WebSocket } from 'ws'
import type { Contender, Count, DriveOrder } from '../contender.js'
import { drive } from '../load.js'
import { openSocket, serveSockets } from './socket-server.js'

interface Page {
  echo(value: unknown): unknown
}
interface Desk extends Page {
  drive(order: DriveOrder): Promise<Count>
}

const echo = (value: unknown): unknown => value

function converse<Remote extends object, Local extends object>(socket: WebSocket, local: Local) {
  return createBirpc<Remote, Local>(local, {
    post: (data: string) => socket.send(data),
    on: (receive) => void socket.on('message', receive),
    serialize: (value) => JSON.stringify(value),
    deserialize: (data) => JSON.parse(String(data)) as unknown,
  })
}

export const birpc: Contender = {
  name: 'birpc',
  serve: () =>
    serveSockets((socket) => {
      const desk: Desk = {
        echo,
        drive: (order) => drive((value) => page.echo(value), order),
      }
      const page = converse<Page, Desk>(socket, desk)
    }),
  connect: async (port) => {
    const socket = await openSocket(port)
    const desk = converse<Desk, Page>(socket, { echo })
    return {
      echo: (value) => desk.echo(value),
      drive: (order) => desk.drive(order),
      close: () => {
        desk.$close()
        socket.close()
      },
    }
  },
}
