/**
 * Abort signals that cross. The one who can abort decides how long a signal lives: the receiver holds it until it has
 * aborted, or until the owner's own signal is collected and never will.
 */
import { CallError, ConnectionLostError } from './errors.js'
import type { Exchange } from './exchange.js'
import { ABORT, FORGET } from './wire.js'

/** What is needed of an AbortSignal, of whatever library it is. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

const runsOf = new WeakMap<AbortSignalLike, Set<() => void>>()

/** Runs when a signal aborts. One listener for all who ask: platforms warn of more than a few. */
export function listen(signal: AbortSignalLike, run: () => void): void {
  const known = runsOf.get(signal)
  if (known !== undefined) {
    known.add(run)
    return
  }
  const runs = new Set([run])
  runsOf.set(signal, runs)
  signal.addEventListener('abort', () => {
    for (const each of [...runs]) each()
  })
}

export function unlisten(signal: AbortSignalLike, run: () => void): void {
  runsOf.get(signal)?.delete(run)
}

/** Told when an owner's signal is collected. */
const gone = new FinalizationRegistry<() => void>((forget) => {
  forget()
})

export class Signals {
  readonly #exchange: Exchange
  #sent: WeakMap<AbortSignalLike, number> | null = null
  #received: Map<number, AbortController> | null = null
  /** What to take from signals of ours when the connection ends; an application's may outlive it by far. */
  readonly #followed = new Map<number, () => void>()
  #lastId = 0

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  /** Live signals of the peer's. */
  get receivedCount(): number {
    return this.#received?.size ?? 0
  }

  /** The id by which the peer knows a live signal of ours; the same one for the same signal. */
  idOf(signal: AbortSignalLike): number {
    this.#sent ??= new WeakMap()
    let id = this.#sent.get(signal)
    if (id !== undefined) return id
    id = ++this.#lastId
    this.#sent.set(signal, id)
    this.#follow(signal, id)
    return id
  }

  #follow(signal: AbortSignalLike, id: number): void {
    const end = (say: () => void): void => {
      if (this.#followed.delete(id)) say()
    }
    // Neither listener nor registry holds the signal: it is its maker's alone.
    const weak = new WeakRef(signal)
    const onAbort = (): void => {
      end(() => {
        this.#sayAbort(id, reasonToSend(weak.deref()))
      })
    }
    listen(signal, onAbort)
    this.#followed.set(id, () => {
      const live = weak.deref()
      if (live !== undefined) unlisten(live, onAbort)
    })
    gone.register(signal, () => {
      end(() => {
        this.#exchange.outbox.say(`[${FORGET},${id}]`)
      })
    })
  }

  #sayAbort(id: number, reason: unknown): void {
    try {
      this.#exchange.sayValue(ABORT, `${id},`, reason, 'reason')
    } catch {
      // That it aborts matters more than why.
      this.#exchange.outbox.say(`[${ABORT},${id}]`)
    }
  }

  /**
   * The signal that stands for one of the peer's.
   *
   * @throws CallError `PB_ERR_LIMIT_SIGNALS`
   */
  receive(id: number): AbortSignal {
    this.#received ??= new Map()
    let controller = this.#received.get(id)
    if (controller === undefined) {
      const { maxSignals } = this.#exchange.limits
      if (this.#received.size >= maxSignals) {
        throw new CallError(
          'PB_ERR_LIMIT_SIGNALS',
          `${maxSignals} signals are held (limits.maxSignals) and no other is accepted`,
        )
      }
      controller = new AbortController()
      this.#received.set(id, controller)
    }
    return controller.signal
  }

  /** The peer's signal has aborted. One that is not known is over already, or came with a message that was refused. */
  abortedByPeer(id: number, reason: unknown): void {
    const controller = this.#received?.get(id)
    this.#received?.delete(id)
    controller?.abort(reason)
  }

  forgottenByPeer(id: number): void {
    this.#received?.delete(id)
  }

  /** Aborts every signal of the peer's: the connection has ended. */
  close(reason: string): void {
    for (const unfollow of this.#followed.values()) unfollow()
    this.#followed.clear()
    const received = this.#received
    this.#received = null
    this.#sent = null
    for (const controller of received?.values() ?? []) {
      controller.abort(new ConnectionLostError(`the connection has ended: ${reason}`, 'unknown'))
    }
  }
}

/** Tells an AbortSignal of any realm or library from everything else. */
export function isAbortSignal(value: object): value is AbortSignalLike {
  return Object.prototype.toString.call(value) === '[object AbortSignal]'
}

/** Why a signal has aborted; undefined for the platform's own reason, which is made anew over there. */
export function reasonToSend(signal: AbortSignalLike | undefined): unknown {
  const reason = signal?.reason as { readonly name?: unknown } | null | undefined
  return reason?.name === 'AbortError' ? undefined : reason
}
