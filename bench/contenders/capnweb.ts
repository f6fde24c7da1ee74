/** Set up as capnweb's README does under "HTTP server on Node.js", with ws on both sides. */
import { RpcTarget, newWebSocketRpcSession } from 'capnweb'
import type { Contender, Count, DriveOrder } from '../contender.js'
import { WebSocket } from 'ws'
import { drive } from '../load.js'
import { openSocket, serveSockets } from './socket-server.js'

// capnweb reads its constants; Node 20 has none of its own.
globalThis.WebSocket ??= WebSocket as never

class Page extends RpcTarget {
  echo(value: unknown): unknown {
    return value
  }
}

class Desk extends RpcTarget {
  page: Peer | null = null
  echo(value: unknown): unknown {
    return value
  }
  drive(order: DriveOrder): Promise<Count> {
    const page = this.page!
    return drive((value) => page.echo(value), order)
  }
}

// `unknown` cannot be sent by capnweb's own types.
interface Peer {
  echo(value: unknown): Promise<unknown>
  drive(order: DriveOrder): Promise<Count>
}

export const capnweb: Contender = {
  name: 'capnweb',
  serve: () =>
    serveSockets((socket) => {
      const desk = new Desk()
      desk.page = newWebSocketRpcSession(socket as never, desk) as unknown as Peer
    }),
  connect: async (port) => {
    const socket = await openSocket(port)
    const peer = newWebSocketRpcSession(socket as never, new Page()) as unknown as Peer & Disposable
    return {
      echo: (value) => peer.echo(value),
      drive: (order) => peer.drive(order),
      close: () => peer[Symbol.dispose](),
    }
  },
}
