import { Broker, type CloseReason, SUBPROTOCOL, webSocketTransport } from '../broker/index.js'
import { ConnectError } from './errors.js'
import type { ConnectionOptions, WebSocketConstructor } from './options.js'

/** How long a socket may take to open, and then until the server's hello, in ms. The realm alone may take 10 s of it. */
const OPEN_TIMEOUT_MS = 10_000
const HELLO_TIMEOUT_MS = 12_000

/** After so many ms without a word the server is asked for one. It says something every 25 s. */
const QUIET_MS = 65_000
const ANSWER_TIMEOUT_MS = 5000

/** Heartbeat, ours or the server's, found nobody. */
const CLOSE_SILENT = 4408

/** What every connection of a session is made with. */
export interface ConnectionSetup extends ConnectionOptions {
  readonly mind?: object | undefined
  readonly WebSocket: WebSocketConstructor
}

/** Who is logged in. */
export interface SessionUser {
  /** The text of Django's primary key. */
  readonly id: string
  /** Empty for an anonymous user. */
  readonly username: string
}

interface Hello {
  readonly user: SessionUser
  /** The next renewal token. */
  readonly renewal?: unknown
  /** Over how many ms the sessions of this server spread their first try when it is lost. */
  readonly spreadMs?: unknown
}

/** One socket of a session, from the server's hello on: whether there is still somebody at the other end. */
export class Connection<P extends object> {
  readonly broker: Broker<P>
  readonly hello: Hello
  /** Resolves when the socket is gone, which may be long after the broker's end. */
  readonly socketClosed: Promise<void>
  readonly #life: Life

  constructor(broker: Broker<P>, hello: Hello, socketClosed: Promise<void>, life: Life) {
    this.broker = broker
    this.hello = hello
    this.socketClosed = socketClosed
    this.#life = life
    this.#watch()
  }

  /** Asks for an answer within so many ms where nothing was heard for so long; without one the connection is lost. */
  check(quietMs: number, answerMs: number): void {
    const life = this.#life
    // A clock set back counts as silence, too: a question costs little.
    if (life.isAsked || Math.abs(Date.now() - life.heardAt) < quietMs) return
    life.isAsked = true
    this.broker.notify({ ping: life.heardAt })
    life.after(answerMs, () => {
      if (life.isAsked) this.broker.close(CLOSE_SILENT, 'silent')
      else this.#watch()
    })
  }

  /** Timestamps are compared, for a hidden page's timers come late; and none is set while messages come. */
  #watch(): void {
    const life = this.#life
    this.check(QUIET_MS, ANSWER_TIMEOUT_MS)
    if (!life.isAsked) {
      life.after(QUIET_MS - (Date.now() - life.heardAt), () => {
        this.#watch()
      })
    }
  }
}

/** When something was heard last, and the one timer of a connection. */
class Life {
  heardAt: number = Date.now()
  /** Whether the server was asked and has said nothing since. */
  isAsked = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #isOver = false

  heard(): void {
    this.heardAt = Date.now()
    this.isAsked = false
  }

  after(ms: number, run: () => void): void {
    clearTimeout(this.#timer)
    if (!this.#isOver) this.#timer = setTimeout(run, ms)
  }

  end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }
}

/**
 * Opens a socket with a ticket and waits for the server's hello, which says that the avatar is there and who it is for.
 *
 * @param prefix - Absolute, without a slash at its end.
 * @throws ConnectError `PB_ERR_CLIENT_UPGRADE`, `PB_ERR_CLIENT_REFUSED`, `PB_ERR_CLIENT_TIMEOUT`
 * @throws unknown - the signal's reason.
 */
export async function openConnection<P extends object>(
  prefix: string,
  ticket: string,
  setup: ConnectionSetup,
  signal: AbortSignal | undefined,
  onNotice: (broker: Broker<P>, notice: unknown) => void,
): Promise<Connection<P>> {
  signal?.throwIfAborted()
  const { WebSocket: WebSocketClass, mind, limits, copyables, callTimeoutMs } = setup
  const address = `${prefix.replace('http', 'ws')}/socket`
  const socket = new WebSocketClass(address, [SUBPROTOCOL, `ticket.${ticket}`])
  const life = new Life()
  let isOpen = false
  socket.addEventListener('message', () => {
    life.heard()
  })
  const socketClosed = new Promise<void>((resolve) => {
    socket.addEventListener('close', () => {
      resolve()
    })
  })
  const broker: Broker<P> = new Broker<P>(webSocketTransport(socket), {
    root: mind,
    limits,
    copyables,
    callTimeoutMs,
    onCallError: (error, { id, method }) => {
      console.error(`fastify-perspective: the mind's ${method || 'function'} failed ${id}`, error)
    },
    onNotice: (notice) => {
      onNotice(broker, notice)
    },
  })
  void broker.closed.then(() => {
    life.end()
  })

  let fail: (error: unknown) => void = () => undefined
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  const giveUp = (code: number, error: unknown): void => {
    fail(error)
    broker.close(code, 'given up')
  }
  const wait = (ms: number, what: string): void => {
    life.after(ms, () => {
      const message = `no ${what} of the server in ${String(ms / 1000)} s`
      giveUp(CLOSE_SILENT, new ConnectError('PB_ERR_CLIENT_TIMEOUT', message, null))
    })
  }
  wait(OPEN_TIMEOUT_MS, 'socket')
  socket.addEventListener('open', () => {
    isOpen = true
    wait(HELLO_TIMEOUT_MS, 'hello')
  })
  const onAbort = (): void => {
    giveUp(1000, signal?.reason)
  }
  signal?.addEventListener('abort', onAbort)
  try {
    const { hasRoot, info } = await Promise.race([failed, broker.peer])
    const hello = (info ?? {}) as Hello
    const { id, username } = ((hello.user as unknown) ?? {}) as Record<string, unknown>
    if (!hasRoot || typeof id !== 'string' || typeof username !== 'string') {
      broker.close(4400, 'PB_ERR_CLIENT_REFUSED')
      throw refused('without a user or an avatar', await broker.closed)
    }
    const user = Object.freeze({ id, username })
    return new Connection(broker, { ...hello, user }, socketClosed, life)
  } catch (error) {
    if (error instanceof ConnectError) throw error
    signal?.throwIfAborted()
    const reason = await broker.closed
    if (isOpen)
      throw refused(`${String(reason.code)} ${reason.code === 1001 ? '' : reason.reason}`, reason)
    throw new ConnectError(
      'PB_ERR_CLIENT_UPGRADE',
      'the socket was refused or lost before the session began: the server may be away, the ticket spent, this ' +
        "page's origin not in allowedOrigins, or a proxy does not pass WebSockets; the server's log says which",
      reason,
    )
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

function refused(how: string, reason: CloseReason): ConnectError {
  return new ConnectError('PB_ERR_CLIENT_REFUSED', `the server began no session: ${how}`, reason)
}
