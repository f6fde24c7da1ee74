/** What one would write in an afternoon: a token that is verified by jose, one query for the user, a socket that is greeted. */
import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import { SignJWT, jwtVerify } from 'jose'
import type { Pool } from 'pg'
import { WebSocket, WebSocketServer } from 'ws'

const SECRET = new TextEncoder().encode('a secret for the benchmark, which is long enough')
const SUBPROTOCOL = 'checked'

/** A server that admits the users whose tokens are {@link makeToken}'s. */
export function serveChecked(pool: Pool): Server {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOL })
  server.on('upgrade', (request, socket, head) => {
    const [, token = ''] = String(request.headers['sec-websocket-protocol']).split(',')
    const admit = async (): Promise<void> => {
      const { payload } = await jwtVerify(token, SECRET, { algorithms: ['HS256'] })
      const sql = 'SELECT id, username, password, is_active FROM auth_user WHERE id = $1'
      const { rows } = await pool.query<{ is_active: boolean }>(sql, [payload.sub])
      if (rows[0]?.is_active !== true) throw new Error('nobody')
      sockets.handleUpgrade(request, socket, head, (ws) => {
        ws.on('message', (data) => ws.send(data))
        ws.send('hello')
      })
    }
    admit().catch(() => socket.destroy())
  })
  return server
}

export function makeToken(userId: number): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(String(userId))
    .sign(SECRET)
}

/** Resolves when the server has said something. */
export async function openChecked(port: number, token: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${String(port)}`, [SUBPROTOCOL, token])
  await once(socket, 'message')
  return socket
}
