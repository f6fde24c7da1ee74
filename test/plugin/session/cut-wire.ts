/** A real connection through a proxy that can swallow what goes either way, or both, without ending anything. */
import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

export interface CutWire {
  /** `http://127.0.0.1:<port>/perspective`, through the proxy. */
  readonly url: string
  /** Swallows from now on: `up` is from the page to the server. Bytes are read, and gone. */
  cut(ways: { readonly up: boolean; readonly down: boolean }): void
  close(): void
}

export async function startCutWire(serverPort: number): Promise<CutWire> {
  const sockets = new Set<Socket>()
  let isCut = { up: false, down: false }
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  }
  const proxy = createServer({ allowHalfOpen: true }, (page) => {
    const server = connect({ port: serverPort, host: '127.0.0.1', allowHalfOpen: true })
    keep(page)
    keep(server)
    page.on('data', (data) => isCut.up || server.write(data))
    server.on('data', (data) => isCut.down || page.write(data))
    page.on('end', () => isCut.up || server.end())
    server.on('end', () => isCut.down || page.end())
    page.on('close', () => isCut.up || server.destroy())
    server.on('close', () => isCut.down || page.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    url: `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}/perspective`,
    cut: (ways) => (isCut = ways),
    close: () => {
      proxy.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
