// The network that other tests put between a page and its server: what it swallows, and what it lets go of.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { startNetwork } from './network.js'

test('a client that was not told of its end is reset when the network is whole again', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const network = await startNetwork((server.address() as AddressInfo).port)
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = connect(network.port, '127.0.0.1')
  const [socket] = await accepted
  network.swallow('down')
  socket.on('error', () => undefined)
  socket.end()
  socket.resume()
  await once(socket, 'close')
  // The proxy has heard of it as well, after a round trip through it.
  const other = connect(network.port, '127.0.0.1')
  const [echo] = (await once(server, 'connection')) as [Socket]
  for (const end of [other, echo]) end.on('error', () => undefined)
  other.write('x')
  await once(echo, 'data')
  const reset = once(client, 'error') as Promise<[NodeJS.ErrnoException]>
  network.swallow()
  assert.equal((await reset)[0].code, 'ECONNRESET')
  await network.close()
  server.close()
})
