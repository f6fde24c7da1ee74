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

test('a connection can be cut while its ends are on their way', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const network = await startNetwork((server.address() as AddressInfo).port)
  network.cutWhen(() => true)
  for (let round = 0; round < 20; round++) {
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const client = connect(network.port, '127.0.0.1')
    const ends = [client, (await accepted)[0]] as const
    const closed = ends.map(
      (end) => new Promise((resolve) => end.on('error', () => undefined).once('close', resolve)),
    )
    for (const end of ends) end.resume()
    // One turn brings the end of one, and what cuts the connection from the other.
    ends[round % 2]?.end()
    ends[1 - (round % 2)]?.write('x')
    await Promise.all(closed)
  }
  await network.close()
  server.close()
  await once(server, 'close')
  const left = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap')
  assert.deepEqual(left, [])
})
