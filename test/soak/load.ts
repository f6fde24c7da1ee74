// The pages of the soak, in a process of their own: log in, talk, and end in every way there is. Brokers on bare sockets, so
// that nothing is done again behind the back of what is counted.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Broker,
  ConnectionLostError,
  type Remote,
  reference,
  webSocketTransport,
} from 'fastify-perspective/broker'
import { WebSocket } from 'ws'
import type { LoadReport, Soaked } from './contract.js'

const [url = '', seconds = '', lanes = ''] = process.argv.slice(2)
const endAt = performance.now() + Number(seconds) * 1000
const faults: string[] = []
const ends: Record<string, number> = {}
let logins = 0
let calls = 0
process.on('unhandledRejection', (error) => faults.push(`unhandled: ${String(error)}`))

const random = (below: number): number => Math.floor(Math.random() * below)

async function fetchTicket(n: number): Promise<string | null> {
  const response = await fetch(`${url}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: `fast${String(n)}`, password: `fast password ${String(n)}` }),
  })
  const body = (await response.json()) as { ticket?: string; code?: string }
  if (body.ticket !== undefined) return body.ticket
  if (body.code !== 'PB_ERR_LOGIN_BUSY') faults.push(`login: ${String(body.code)}`)
  await sleep(100)
  return null
}

/** One thing that a page does; each checks its own answer. */
const deeds: readonly ((avatar: Remote<Soaked>) => Promise<unknown>)[] = [
  async (avatar) => {
    const n = random(1e6)
    const value = {
      n,
      list: [1, 'a', null],
      at: new Date(n),
      big: BigInt(n),
      bytes: new Uint8Array(n % 3000),
    }
    const back = (await avatar.echo(value)) as typeof value
    expect(back.n === n && back.bytes.length === n % 3000 && back.at.getTime() === n, 'echo')
  },
  async (avatar) => {
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => avatar.echo(n)))
    expect(
      results.every((value, n) => value === n),
      'burst',
    )
  },
  async (avatar) => {
    const board = await avatar.board()
    await board.add(2)
    expect((await board.add(3)) === 5, 'board')
    if (random(2) === 0) board[Symbol.dispose]()
  },
  async (avatar) => {
    expect((await avatar.board().add(4)) === 4, 'pipelined')
  },
  async (avatar) => {
    const score = await avatar.score()
    const unsubscribe = score.subscribe(() => undefined)
    await avatar.score()
    expect(score.state.list.length > 0, 'score')
    unsubscribe()
  },
  async (avatar) => {
    let heard = 0
    expect((await avatar.each(() => (heard += 1), 5)) === 5 && heard === 5, 'callback')
  },
  async (avatar) => {
    let sum = 0
    for await (const n of await avatar.numbers(100)) {
      sum += n
      if (n === 60 && random(2) === 0) return
    }
    expect(sum === 4950, 'stream')
  },
  async (avatar) => {
    const numbers = async function* (): AsyncGenerator<number> {
      for (let n = 0; n < 40; n++) yield await Promise.resolve(n)
    }
    expect((await avatar.sum(numbers())) === 780, 'stream up')
  },
  async (avatar) => {
    const n = random(1000)
    expect((await avatar.ask(n)) === n * 2, 'ask')
  },
  async (avatar) => {
    const { code } = (await avatar.fail().then(
      () => ({ code: 'none' }),
      (error: unknown) => error,
    )) as { code: string }
    if (code === 'PB_ERR_CONNECTION_LOST') throw new ConnectionLostError('', 'unknown')
    expect(code === 'PB_ERR_CALL_FAILED', `fail: ${code}`)
  },
  async (avatar) => {
    const controller = new AbortController()
    const waiting = avatar.wait(controller.signal as never).catch(() => undefined)
    await avatar.echo(1)
    controller.abort()
    await waiting
  },
]

function expect(holds: boolean, what: string): void {
  if (!holds) faults.push(`wrong: ${what}`)
}

/** One session from its login to its end. */
async function live(lane: number): Promise<void> {
  const ticket = await fetchTicket(1 + (lane % 3))
  if (ticket === null) return
  logins += 1
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket`, [
    'perspective.v1',
    `ticket.${ticket}`,
  ])
  socket.on('error', () => undefined)
  // More at once than the machine can do is refused, and no fault.
  let isBusy = false
  socket.on('unexpected-response', (_request, { statusCode }) => {
    isBusy = statusCode === 503
    if (!isBusy) faults.push(`refused with ${String(statusCode)}`)
    socket.terminate()
  })
  const gone = new Promise((resolve) => socket.on('close', resolve))
  const mind = reference({ double: (n: number) => n * 2 } as never)
  const broker = new Broker<Soaked>(webSocketTransport(socket), { root: mind })
  const end = ['logout', 'kill', 'kick', 'away', 'early', 'middle'][random(6)] ?? 'logout'
  ends[end] = (ends[end] ?? 0) + 1
  if (end === 'early') await sleep(random(30))
  else {
    const hello = await broker.peer.catch(() => null)
    if (hello === null) {
      if (!isBusy) faults.push('closed before the hello')
      ends['busy'] = (ends['busy'] ?? 0) + 1
      return
    }
    const talk = Array.from({ length: 1 + random(4) }, async () => {
      for (let count = 1 + random(12); count > 0; count--) {
        calls += 1
        await deeds[random(deeds.length)]?.(broker.root)
      }
    })
    // What is cut off in the middle is lost, and says so.
    const settled = talk.map((part) =>
      part.catch((error: unknown) => {
        const { code } = error as { code?: string }
        if (code === 'PB_ERR_CONNECTION_LOST' || code === 'PB_ERR_REF_DEAD') return
        faults.push(`lost as ${String(error)}`)
      }),
    )
    if (end === 'middle') await sleep(random(20))
    else await Promise.all(settled)
  }
  if (end === 'logout') broker.close(1000)
  else if (end === 'away') broker.close(4001)
  else if (end === 'kick') await broker.root.kick().catch(() => undefined)
  else socket.terminate()
  await gone
  await broker.closed
  const held = Object.values(broker.stats).filter((count) => count !== 0)
  if (held.length > 0) faults.push(`held after the end: ${JSON.stringify(broker.stats)}`)
}

async function lane(index: number): Promise<void> {
  while (performance.now() < endAt && faults.length < 20) {
    try {
      await live(index)
    } catch (error) {
      faults.push(`${String(error)} ${String((error as Error).stack)}`)
    }
  }
}

await Promise.all(Array.from({ length: Number(lanes) }, (_, index) => lane(index)))
const report: LoadReport = { logins, calls, ends, faults }
process.send?.(report, () => {
  process.disconnect()
})
