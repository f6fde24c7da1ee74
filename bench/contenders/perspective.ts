import type * as BrokerRoom from 'fastify-perspective/broker'
import type { Contender, Count, DriveOrder } from '../contender.js'
import { drive } from '../load.js'
import { makeSocket, serveSockets } from './socket-server.js'

/** Our broker over ws; `room` is this build's or, for a comparison of two builds, another's. */
export function perspective(name: string, room: typeof BrokerRoom): Contender {
  const { Broker, Referenceable, webSocketTransport } = room
  const unchecked: typeof BrokerRoom.unchecked = room.unchecked

  class Page extends Referenceable {
    static readonly remote: BrokerRoom.RemoteMethods<Page> = { echo: unchecked }
    echo(value: unknown): unknown {
      return value
    }
  }

  class Desk extends Referenceable {
    static readonly remote: BrokerRoom.RemoteMethods<Desk> = { echo: unchecked, drive: unchecked }
    page: BrokerRoom.Remote<Page> | null = null
    echo(value: unknown): unknown {
      return value
    }
    drive(order: DriveOrder): Promise<Count> {
      const page = this.page!
      return drive((value) => page.echo(value), order)
    }
  }

  return {
    name,
    serve: () =>
      serveSockets((socket) => {
        const desk = new Desk()
        desk.page = new Broker<Page>(webSocketTransport(socket), { root: desk }).root
      }),
    connect: async (port) => {
      const transport = webSocketTransport(makeSocket(port))
      const broker = new Broker<Desk>(transport, { root: new Page() })
      await broker.peer
      const { root } = broker
      return {
        echo: (value) => root.echo(value),
        drive: (order) => root.drive(order),
        close: () => broker.close(),
      }
    },
  }
}
