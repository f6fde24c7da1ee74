import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'

/** Starts a plain WebSocket server; `accept` gets each socket synchronously. */
export async function serveSockets(accept: (socket: WebSocket) => void): Promise<number> {
  const http = createServer()
  new WebSocketServer({ server: http }).on('connection', accept)
  return listen(http)
}

export async function listen(http: Server): Promise<number> {
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return (http.address() as AddressInfo).port
}

export function makeSocket(port: number): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${String(port)}`)
}

/** For those whose server does not speak first: what comes with the upgrade is lost to whoever listens later. */
export async function openSocket(port: number): Promise<WebSocket> {
  const socket = makeSocket(port)
  await once(socket, 'open')
  return socket
}
