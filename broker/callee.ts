/** The called side of one connection: calls that arrive, and what they come to. */
import {
  CallError,
  ConnectionLostError,
  type PerspectiveError,
  ProtocolError,
  Refusal,
  RemoteError,
} from './errors.js'
import type { BrokerOptions, CallWatch } from './broker-options.js'
import { CallRate } from './call-rate.js'
import { type Authorize, type Invoker, invoke, isThenable } from './invocation.js'
import type { Exchange } from './exchange.js'
import { RunningCalls } from './running-calls.js'
import { type Outcome, TickResults } from './tick-results.js'
import { ANSWER, ERROR, ROOT_ID } from './wire.js'

export class Callee implements Invoker {
  readonly #exchange: Exchange
  readonly #onCall: BrokerOptions['onCall']
  readonly authorize: Authorize | undefined
  readonly #results: TickResults
  readonly #running = new RunningCalls()
  readonly #rate = new CallRate()
  #lastId = 0
  /** How long the answers of this tick are; they are kept as results. */
  #answered = 0
  #isClosed = false
  /** Calls on a root that is still to come. */
  #held: (() => void)[] | null = null

  constructor(exchange: Exchange, options: Pick<BrokerOptions, 'authorize' | 'onCall'>) {
    this.#exchange = exchange
    this.#results = new TickResults(exchange.limits.maxFrameBytes)
    this.#onCall = options.onCall
    this.authorize = options.authorize
  }

  /** Calls of the peer whose methods still run. */
  get runningCount(): number {
    return this.#running.size
  }

  get root(): object | null {
    return this.#exchange.root
  }

  signalOf(callId: number): AbortSignal {
    return this.#running.signalOf(callId)
  }

  /** From now on calls on the root wait for {@link setRoot}. */
  holdRoot(): void {
    this.#held = []
  }

  setRoot(root: object): void {
    if (this.#isClosed) return
    this.#exchange.root = root
    const held = this.#held ?? []
    this.#held = null
    for (const run of held) run()
  }

  /** The peer's tick is over: its results can no longer be named. */
  endTick(): void {
    this.#results.clear()
    this.#answered = 0
  }

  close(reason: string): void {
    this.#isClosed = true
    this.#held = null
    this.#results.clear()
    this.#running.close(new ConnectionLostError(`the caller has gone: ${reason}`, 'unknown'))
  }

  called(id: number, target: number, method: string, args: unknown[]): void {
    this.#advance(id)
    const { maxPendingCalls } = this.#exchange.limits
    if (this.#running.size >= maxPendingCalls || this.#results.size >= maxPendingCalls) {
      this.#refuse(id, this.#tooMany())
      return
    }
    const outcome: Outcome = { value: undefined, promise: null, error: null, size: 0 }
    let watch: CallWatch | undefined
    try {
      watch = this.#onCall?.(method)
      outcome.value = this.#dispatch(id, target, method, args)
      outcome.promise = isThenable(outcome.value) ? Promise.resolve(outcome.value) : null
    } catch (error) {
      outcome.error = this.#refuse(id, this.#exchange.failures.publicError(error, method))
    }
    watch?.(outcome.promise, outcome.error)
    this.#results.add(id, outcome)
    if (outcome.promise !== null) {
      this.#answerLater(id, outcome, outcome.promise, method)
      return
    }
    this.#running.end(id)
    if (outcome.error === null) this.#answer(id, outcome, outcome.value, method)
  }

  told(target: number, method: string, args: unknown[]): void {
    let watch: CallWatch | undefined
    try {
      if (this.#running.size >= this.#exchange.limits.maxPendingCalls) throw this.#tooMany()
      watch = this.#onCall?.(method)
      const value = this.#dispatch(0, target, method, args)
      const promise = isThenable(value) ? Promise.resolve(value) : null
      watch?.(promise, null)
      if (promise === null) return
      this.#running.addTold()
      promise.then(
        () => {
          this.#running.endTold()
        },
        (error: unknown) => {
          this.#running.endTold()
          this.toldInVain(error, method)
        },
      )
    } catch (error) {
      watch?.(null, error)
      this.toldInVain(error, method)
    }
  }

  #tooMany(): Refusal {
    const { maxPendingCalls } = this.#exchange.limits
    return new Refusal('PB_ERR_LIMIT_PENDING_CALLS', `more than ${maxPendingCalls} calls at once`)
  }

  /** A call that cannot be made at all: its arguments are over a limit. */
  refuse(id: number, error: PerspectiveError): void {
    this.#advance(id)
    const shown = this.#refuse(id, error)
    if (this.#results.size < this.#exchange.limits.maxPendingCalls)
      this.#results.add(id, { value: undefined, promise: null, error: shown, size: 0 })
  }

  /** Reports a call that nobody waits for: the application is the only one to hear of it. */
  toldInVain(error: unknown, method: string): void {
    this.#exchange.failures.report(error, { id: '', method })
  }

  /** The caller has given the call up. */
  cancelled(id: number): void {
    if (id > this.#lastId) throw new ProtocolError('a call cancelled before it was made')
    this.#running.cancel(id, undefined)
  }

  #advance(id: number): void {
    if (id <= this.#lastId) throw new ProtocolError('a call whose id was used before')
    this.#lastId = id
  }

  #dispatch(id: number, target: number, method: string, args: unknown[]): unknown {
    this.#rate.count(this.#exchange.limits.maxCallsPerSecond)
    // Looked up now: when an argument has come the tick may be over, and the target released.
    const found = this.#find(target)
    const waiting = this.#results.fillIn(args)
    if (waiting === null) return this.#reach(id, target, found, method, args)
    return waiting.then(() => {
      this.assertWanted(id)
      return this.#reach(id, target, found, method, args)
    })
  }

  /** What a call is made on; the root is looked up when the call is made. */
  #find(target: number): unknown {
    if (target === ROOT_ID) return null
    if (target < ROOT_ID) return this.#results.resultOf(-target)
    const object = this.#exchange.tables.exportedObject(target)
    if (object === null)
      throw new Refusal('PB_ERR_REF_UNKNOWN', 'no such reference: it was released')
    return object
  }

  #reach(id: number, target: number, found: unknown, method: string, args: unknown[]): unknown {
    if (target !== ROOT_ID) {
      if (!(found instanceof Promise)) return invoke(found, method, args, this, id)
      return found.then((settled: unknown) => {
        this.assertWanted(id)
        return invoke(settled, method, args, this, id)
      })
    }
    if (this.#held !== null) return this.#hold(this.#held, id, method, args)
    if (this.root === null) throw new Refusal('PB_ERR_REF_DEAD', 'there is no root on this side')
    return invoke(this.root, method, args, this, id)
  }

  assertWanted(id: number): void {
    if (this.#isClosed || (id !== 0 && !this.#running.isWanted(id)))
      throw new Refusal('PB_ERR_CALL_FAILED', 'the call was given up before it began')
  }

  #hold(held: (() => void)[], id: number, method: string, args: unknown[]): Promise<unknown> {
    if (held.length >= this.#exchange.limits.maxHeldCalls) {
      throw new Refusal(
        'PB_ERR_LIMIT_PENDING_CALLS',
        `more than ${held.length} calls before the root is there`,
      )
    }
    return new Promise((resolve, reject) => {
      held.push(() => {
        try {
          this.assertWanted(id)
          resolve(this.#reach(id, ROOT_ID, null, method, args))
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  /** Says what a method answered; where that cannot cross, the error that is said instead is the result. */
  #answer(id: number, outcome: Outcome, value: unknown, method: string): void {
    if (this.#isClosed) return
    try {
      if (value === undefined) this.#exchange.outbox.say(`[${ANSWER},${id}]`)
      else outcome.size = this.#exchange.sayValue(ANSWER, `${id},`, value, 'result')
      this.#answered += outcome.size
      // Of a tick that goes on and on; what is forgotten can be named as little as that of the tick before.
      if (this.#answered > this.#exchange.limits.maxQueuedBytes) this.endTick()
    } catch (error) {
      outcome.value = undefined
      outcome.promise = null
      // As much the method's failure as a throw.
      const { failures } = this.#exchange
      const shown = error instanceof CallError ? error : failures.publicError(error, method)
      outcome.error = this.#refuse(id, shown)
    }
  }

  /** Says an error; answers it as the calls that name this one's result are refused with. */
  #refuse(id: number, error: PerspectiveError): PerspectiveError {
    if (!this.#isClosed) this.#exchange.sayError(ERROR, id, error)
    return error instanceof RemoteError ? error : new Refusal(error.code, error.message)
  }

  #answerLater(id: number, outcome: Outcome, promise: Promise<unknown>, method: string): void {
    this.#running.add(id)
    promise.then(
      (value) => {
        if (this.#running.end(id)) this.#answer(id, outcome, value, method)
      },
      (error: unknown) => {
        // Of a call that was given up only our own log hears, unless it ended because it was.
        const isWanted = this.#running.end(id)
        outcome.error = this.#exchange.failures.publicError(error, method)
        if (isWanted) this.#refuse(id, outcome.error)
      },
    )
  }
}
