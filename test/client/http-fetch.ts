// A fetch without timers of its own, for tests that have the clock: Node's one hangs when its timers stand still.
import { request } from 'node:http'

export const httpFetch = ((address: string, init: RequestInit) =>
  new Promise<Response>((resolve, reject) => {
    const { method = 'GET', headers, body, signal } = init
    const outgoing = request(
      address,
      {
        method,
        headers: headers as Record<string, string>,
        agent: false,
        signal: signal ?? undefined,
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.once('error', reject)
        incoming.once('end', () => {
          const status = incoming.statusCode ?? 500
          resolve(new Response(status === 204 ? null : Buffer.concat(chunks), { status }))
        })
      },
    )
    outgoing.once('error', reject)
    outgoing.end(body as string)
  })) as typeof fetch
