/** The called side of one connection: calls that arrive, and their answers. */
import { Encoder } from './encoder.js'
import { CallError, PerspectiveError, ProtocolError, Refusal, RemoteError } from './errors.js'
import { type Authorize, invoke, isThenable } from './invocation.js'
import type { Limits } from './limits.js'
import type { Outbox } from './outbox.js'
import { isPlain } from './plain-value.js'
import type { ReferenceTables } from './reference-tables.js'
import { type Outcome, TickResults } from './tick-results.js'
import { ANSWER, ERROR, ROOT_ID, TAGGED } from './wire.js'

/** What the application is told of a method of its own that failed. */
export interface FailedCall {
  /** What the peer was told instead of the error; empty for a call without answer. */
  readonly id: string
  readonly method: string
}
export type CallErrorListener = (error: unknown, call: FailedCall) => void

/** Stands in a list of arguments for the result of a call of the same tick. */
export class ResultArgument {
  readonly callId: number

  constructor(callId: number) {
    this.callId = callId
  }
}

/** What is left of the message of an error that does not fit a frame. */
const MAX_SHORT_MESSAGE = 100

export class Callee {
  readonly #tables: ReferenceTables
  readonly #outbox: Outbox
  readonly #limits: Limits
  readonly #authorize: Authorize | undefined
  readonly #onCallError: CallErrorListener | undefined
  readonly #results = new TickResults()
  readonly #failurePrefix = Math.random().toString(36).slice(2, 8)
  #failures = 0
  #running = 0
  #lastId = 0
  #isClosed = false
  #root: object | null = null
  /** Calls on a root that is still to come. */
  #held: (() => void)[] | null = null

  constructor(
    tables: ReferenceTables,
    outbox: Outbox,
    limits: Limits,
    authorize: Authorize | undefined,
    onCallError: CallErrorListener | undefined,
  ) {
    this.#tables = tables
    this.#outbox = outbox
    this.#limits = limits
    this.#authorize = authorize
    this.#onCallError = onCallError
  }

  /** Calls of the peer whose methods still run. */
  get runningCount(): number {
    return this.#running
  }

  /** From now on calls on the root wait for {@link setRoot}. */
  holdRoot(): void {
    this.#held = []
  }

  setRoot(root: object): void {
    if (this.#isClosed) return
    this.#root = root
    this.#tables.setRoot(root)
    const held = this.#held ?? []
    this.#held = null
    for (const run of held) run()
  }

  /** The peer's tick is over: its results can no longer be named. */
  endTick(): void {
    this.#results.clear()
  }

  close(): void {
    this.#isClosed = true
    this.#held = null
    this.#root = null
    this.#results.clear()
  }

  called(id: number, target: number, method: string, args: unknown[]): void {
    this.#advance(id)
    const { maxPendingCalls } = this.#limits
    if (this.#running >= maxPendingCalls || this.#results.size >= maxPendingCalls) {
      const message = `more than ${String(maxPendingCalls)} calls at once`
      this.#answerError(id, new Refusal('PB_ERR_LIMIT_PENDING_CALLS', message))
      return
    }
    let outcome: Outcome
    try {
      const value = this.#dispatch(target, method, args)
      outcome = { value, promise: isThenable(value) ? Promise.resolve(value) : null, error: null }
    } catch (error) {
      const shown = this.#publicError(error, method)
      this.#answerError(id, shown)
      const promise = Promise.reject(shown)
      promise.catch(noop)
      this.#results.add(id, { value: undefined, promise, error: shown })
      return
    }
    this.#results.add(id, outcome)
    if (outcome.promise === null) this.#answer(id, outcome.value, method)
    else this.#answerLater(id, outcome, outcome.promise, method)
  }

  told(target: number, method: string, args: unknown[]): void {
    try {
      const value = this.#dispatch(target, method, args)
      if (isThenable(value)) {
        Promise.resolve(value).catch((error: unknown) => {
          this.toldInVain(error, method)
        })
      }
    } catch (error) {
      this.toldInVain(error, method)
    }
  }

  /** A call that cannot be made at all: its arguments are over a limit. */
  refuse(id: number, error: CallError): void {
    this.#advance(id)
    this.#answerError(id, error)
  }

  /** Reports a call that nobody waits for: the listener is the only one to hear of it. */
  toldInVain(error: unknown, method: string): void {
    this.#report(error, { id: '', method })
  }

  #advance(id: number): void {
    if (id <= this.#lastId) throw new ProtocolError('a call whose id was used before')
    this.#lastId = id
  }

  #dispatch(target: number, method: string, args: unknown[]): unknown {
    const waiting = args.some((arg) => arg instanceof ResultArgument) ? this.#fillIn(args) : null
    if (waiting !== null) return waiting.then(() => this.#reach(target, method, args))
    return this.#reach(target, method, args)
  }

  /** Puts results into a list of arguments; answers a promise where one of them is still to come. */
  #fillIn(args: unknown[]): Promise<unknown> | null {
    const coming: Promise<unknown>[] = []
    args.forEach((arg, index) => {
      if (!(arg instanceof ResultArgument)) return
      const { value, promise } = this.#outcomeOf(arg.callId)
      if (promise === null) args[index] = value
      else coming.push(promise.then((settled) => void (args[index] = settled)))
    })
    return coming.length === 0 ? null : Promise.all(coming)
  }

  #outcomeOf(callId: number): { value: unknown; promise: Promise<unknown> | null } {
    const outcome = this.#results.find(callId)
    if (outcome === null)
      throw new Refusal('PB_ERR_REF_UNKNOWN', 'the call whose result is meant is of another tick')
    const { promise } = outcome
    if (promise === null) return outcome
    // The listener that answered the call ran first, so the error that the peer saw is there.
    return {
      value: undefined,
      promise: promise.catch(() => Promise.reject(outcome.error as Error)),
    }
  }

  #reach(target: number, method: string, args: unknown[]): unknown {
    if (target === ROOT_ID && this.#held !== null) return this.#hold(this.#held, method, args)
    if (target >= ROOT_ID) {
      const object = target === ROOT_ID ? this.#root : this.#tables.exportedObject(target)
      if (object === null) {
        throw target === ROOT_ID
          ? new Refusal('PB_ERR_REF_DEAD', 'there is no root on this side')
          : new Refusal('PB_ERR_REF_UNKNOWN', 'no such reference: it was released')
      }
      return invoke(object, method, args, this.#authorize)
    }
    const { value, promise } = this.#outcomeOf(-target)
    if (promise === null) return invoke(value, method, args, this.#authorize)
    return promise.then((settled) => invoke(settled, method, args, this.#authorize))
  }

  #hold(held: (() => void)[], method: string, args: unknown[]): Promise<unknown> {
    if (held.length >= this.#limits.maxHeldCalls) {
      throw new Refusal(
        'PB_ERR_LIMIT_PENDING_CALLS',
        `more than ${String(held.length)} calls before the root is there`,
      )
    }
    return new Promise((resolve, reject) => {
      held.push(() => {
        try {
          resolve(this.#reach(ROOT_ID, method, args))
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  #answerLater(id: number, outcome: Outcome, promise: Promise<unknown>, method: string): void {
    this.#running += 1
    promise.then(
      (value) => {
        this.#running -= 1
        this.#answer(id, value, method)
      },
      (error: unknown) => {
        this.#running -= 1
        outcome.error = this.#publicError(error, method)
        this.#answerError(id, outcome.error as PerspectiveError)
      },
    )
  }

  #answer(id: number, value: unknown, method: string): void {
    if (this.#isClosed) return
    if (value === undefined) {
      this.#outbox.say(`[${String(ANSWER)},${String(id)}]`)
      return
    }
    try {
      this.#sayValue(`${String(id)},`, ANSWER, value, 'result')
    } catch (error) {
      // What the method answered cannot cross: as much its failure as a throw.
      this.#answerError(id, error instanceof CallError ? error : this.#publicError(error, method))
    }
  }

  #answerError(id: number, error: PerspectiveError): void {
    if (this.#isClosed) return
    // A subclass of the application's may have put anything there.
    const shown: { code: unknown; message: unknown } = error
    const message = String(shown.message)
    const head = `${String(id)},${JSON.stringify(String(shown.code))},`
    try {
      if (error instanceof RemoteError && error.data !== undefined) {
        this.#sayValue(`${head}${JSON.stringify(message)},`, ERROR, error.data, 'data')
      } else {
        this.#outbox.say(`[${String(ERROR)},${head}${JSON.stringify(message)}]`)
      }
    } catch (reason) {
      // Its data cannot cross, or it is longer than a frame; the error itself still does.
      this.#report(reason, { id: '', method: '' })
      const cut = JSON.stringify(message.slice(0, MAX_SHORT_MESSAGE))
      this.#outbox.say(`[${String(ERROR)},${head}${cut}]`)
    }
  }

  #sayValue(head: string, kind: number, value: unknown, name: string): void {
    if (isPlain(value, this.#limits.maxDepth)) {
      this.#outbox.say(`[${String(kind)},${head}${JSON.stringify(value)}]`)
      return
    }
    const encoder = new Encoder(this.#tables, this.#limits)
    try {
      const json = JSON.stringify(encoder.encode(value, name))
      this.#outbox.say(
        `[${String(kind | TAGGED)},${head}${json},${String(encoder.byteCount)}]`,
        encoder.bytes,
      )
    } catch (error) {
      encoder.takeBack()
      throw error
    }
  }

  /** What the peer may see of an error: a declared one as it is, any other as an id that our log has. */
  #publicError(error: unknown, method: string): PerspectiveError {
    if (error instanceof RemoteError || error instanceof Refusal) return error
    this.#failures += 1
    const id = `${this.#failurePrefix}-${String(this.#failures)}`
    this.#report(error, { id, method })
    return new Refusal(
      'PB_ERR_CALL_FAILED',
      `${method === '' ? 'the function' : method} failed; the log of its side says why, under ${id}`,
    )
  }

  #report(error: unknown, call: FailedCall): void {
    try {
      this.#onCallError?.(error, call)
    } catch {
      // A log that fails must not end a connection.
    }
  }
}

function noop(): void {}
