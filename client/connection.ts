import { Broker, SUBPROTOCOL, webSocketTransport } from '../broker/index.js'
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

/** One socket of a session, from the server's hello on. */
export interface Connection<P extends object> {
  readonly broker: Broker<P>
  readonly hello: Hello
  /** Resolves when the socket is gone, which may be long after the broker's end. */
  readonly socketClosed: Promise<void>
  /** Asks for an answer within so many ms where nothing was heard for so long; without one the connection is lost. */
  readonly check: (quietMs: number, answerMs: number) => void
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
  const { mind, limits, copyables, callTimeoutMs } = setup
  const address = `${prefix.replace('http', 'ws')}/socket`
  const socket = new setup.WebSocket(address, [SUBPROTOCOL, `ticket.${ticket}`])
  let isOpen = false
  let heardAt = Date.now()
  /** Whether the server was asked and has said nothing since. */
  let isAsked = false
  /** The one timer of a connection. */
  let timer: ReturnType<typeof setTimeout> | undefined
  const after = (ms: number, run: () => void): void => {
    clearTimeout(timer)
    timer = setTimeout(run, ms)
  }
  socket.addEventListener('message', () => {
    heardAt = Date.now()
    isAsked = false
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
    clearTimeout(timer)
  })

  const check = (quietMs: number, answerMs: number): void => {
    // A clock set back counts as silence, too: a question costs little.
    if (isAsked || Math.abs(Date.now() - heardAt) < quietMs) return
    isAsked = true
    broker.notify({ ping: heardAt })
    after(answerMs, () => {
      if (isAsked) broker.close(CLOSE_SILENT, 'silent')
      else watch()
    })
  }
  // Timestamps are compared, for a hidden page's timers come late; and none is set while messages come.
  const watch = (): void => {
    check(QUIET_MS, ANSWER_TIMEOUT_MS)
    if (!isAsked) after(QUIET_MS - (Date.now() - heardAt), watch)
  }

  let fail: (error: unknown) => void = () => undefined
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  const giveUp = (code: number, error: unknown): void => {
    fail(error)
    broker.close(code, 'given up')
  }
  const wait = (ms: number, what: string): void => {
    after(ms, () => {
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
    } else {
      watch()
      const user = Object.freeze({ id, username })
      return { broker, hello: { ...hello, user }, socketClosed, check }
    }
  } catch (error) {
    if (error instanceof ConnectError) throw error
    signal?.throwIfAborted()
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
  const ended = await broker.closed
  const { code, reason } = ended
  throw isOpen
    ? new ConnectError(
        'PB_ERR_CLIENT_REFUSED',
        `the server began no session: ${String(code)} ${code === 1001 ? '' : reason}`,
        ended,
      )
    : new ConnectError(
        'PB_ERR_CLIENT_UPGRADE',
        "no socket for this ticket: the server is away, the ticket spent, this page's origin not in allowedOrigins, or a " +
          "proxy passes no WebSockets; the server's log says which",
        ended,
      )
}
