/** A TCP proxy in front of an app that loses what is on its way, and the connection with it. */
import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { after } from 'node:test'

export type Way = 'up' | 'down'

export interface CuttingProxy {
  readonly url: string
  /** Cuts the next connection at the first bytes of which this holds; they do not arrive. */
  cutAt(holds: (way: Way, bytes: string) => boolean): void
  /** How many connections were cut. */
  cuts(): number
}

/** Starts it; it ends after the file's tests. */
export async function startCuttingProxy(port: number, path: string): Promise<CuttingProxy> {
  let cut: ((way: Way, bytes: string) => boolean) | null = null
  let cuts = 0
  const open = new Set<Socket>()
  const server = createServer((page) => {
    const app = connect(port, '127.0.0.1')
    const pass = (from: Socket, to: Socket, way: Way): void => {
      open.add(from)
      from.on('error', () => undefined)
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
      from.on('data', (bytes) => {
        if (cut?.(way, bytes.toString('latin1')) !== true) {
          to.write(bytes)
          return
        }
        cut = null
        cuts += 1
        from.destroy()
        to.destroy()
      })
    }
    pass(page, app, 'up')
    pass(app, page, 'down')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}${path}`,
    cutAt: (holds) => (cut = holds),
    cuts: () => cuts,
  }
}
