// A network between a client and a server of this machine: a TCP proxy that cuts, delays, swallows and refuses.
import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'

/** `up` is what the client sends, `down` what the server does. */
export type Way = 'up' | 'down'

export interface Network {
  /** Where clients connect. */
  readonly port: number
  /** Connections that clients have made so far. */
  readonly attempts: number
  /** Whether a connection that stands has lost bytes. */
  readonly isTorn: boolean
  /** Ends every connection at once, with a reset; new ones are accepted. */
  cut(): void
  /** Resets the clients' ends of all connections, and tells the server nothing: it holds them half-open. */
  abandon(): void
  /**
   * Swallows what goes these ways, on all connections and new ones, and tells nobody. Without a way it ends: connections
   * that have lost bytes are reset, as their ends would find out.
   */
  swallow(...ways: Way[]): void
  /** Holds back what goes either way for so many ms, in order; 0 ends it for what comes from now on. */
  delay(ms: number): void
  /** Ends every connection, and refuses new ones until it is told to accept again. */
  refuse(isRefusing: boolean): Promise<void>
  /** Connections made from now on go to another port of the loopback. */
  retarget(port: number): void
  /** Looks at each piece before it is passed on; one for which it answers true is swallowed, and its connection reset. */
  cutWhen(look: ((way: Way, bytes: Buffer) => boolean) | null): void
  close(): Promise<void>
}

/** Starts one before a port of the loopback. */
export async function startNetwork(target: number): Promise<Network> {
  const lines = new Set<Line>()
  const rules: Rules = { swallowed: new Set(), delayMs: 0, look: null }
  let attempts = 0
  let targetPort = target
  let server = await listen(0)
  const { port } = server.address() as AddressInfo

  function accept(client: Socket): void {
    attempts += 1
    const line = new Line(client, targetPort, rules)
    lines.add(line)
    line.closed(() => lines.delete(line))
  }
  async function listen(at: number): Promise<Server> {
    const listening = createServer({ noDelay: true }, accept).listen(at, '127.0.0.1')
    await once(listening, 'listening')
    return listening
  }
  const cut = (): void => {
    for (const line of lines) line.reset()
  }
  return {
    port,
    get attempts() {
      return attempts
    },
    get isTorn() {
      return [...lines].some((line) => line.isTorn)
    },
    cut,
    abandon() {
      for (const line of lines) line.abandon()
    },
    swallow(...ways) {
      rules.swallowed = new Set(ways)
      for (const line of lines) if (line.isTorn && ways.length === 0) line.reset()
    },
    delay(ms) {
      rules.delayMs = ms
    },
    async refuse(isRefusing) {
      if (isRefusing === !server.listening) return
      if (isRefusing) server.close()
      else server = await listen(port)
      cut()
    },
    retarget(to) {
      targetPort = to
    },
    cutWhen(look) {
      rules.look = look
    },
    async close() {
      const closed = server.listening ? once(server, 'close') : null
      server.close()
      cut()
      await closed
    },
  }
}

interface Rules {
  swallowed: ReadonlySet<Way>
  delayMs: number
  look: ((way: Way, bytes: Buffer) => boolean) | null
}

/** One connection through the network. */
class Line {
  /** Whether bytes are missing: it can never be whole again. */
  isTorn = false
  #isAbandoned = false
  readonly #client: Socket
  readonly #server: Socket
  readonly #rules: Rules

  constructor(client: Socket, port: number, rules: Rules) {
    this.#client = client
    this.#server = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#rules = rules
    this.#join('up', client, this.#server)
    this.#join('down', this.#server, client)
  }

  /** Both ends: one whose end was swallowed must still be reset. */
  closed(run: () => void): void {
    this.#server.once('close', () => {
      if (this.#client.closed) run()
    })
    this.#client.once('close', () => {
      if (this.#server.closed) run()
    })
  }

  abandon(): void {
    this.#isAbandoned = true
    reset(this.#client)
  }

  reset(): void {
    reset(this.#client)
    reset(this.#server)
  }

  #join(way: Way, from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (this.#rules.look?.(way, bytes) === true) this.reset()
      else this.#pass(way, () => to.write(bytes))
    })
    from.once('end', () => {
      this.#pass(way, () => to.end())
    })
    from.on('error', () => {
      this.#pass(way, () => {
        reset(to)
      })
    })
    from.once('close', () => {
      this.#pass(way, () => to.destroySoon())
    })
  }

  #pass(way: Way, run: () => void): void {
    if (this.#isAbandoned) return
    if (this.#rules.swallowed.has(way)) this.isTorn = true
    else if (this.#rules.delayMs > 0) setTimeout(run, this.#rules.delayMs)
    else run()
  }
}

/** Node loses a socket that is reset while its end is on the way (EINVAL), and the process then spins instead of exiting. */
function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}
