/** The calling side of one connection: calls that leave, and the answers that come back. */
import { Encoder } from './encoder.js'
import {
  CallError,
  ConnectionLostError,
  DeadReferenceError,
  ProtocolError,
  errorFromWire,
} from './errors.js'
import type { Exchange } from './exchange.js'
import { isObject, isPlain } from './plain-value.js'
import { CallPromise, type Pipeline } from './remote-promise.js'
import { type CallOptions, type RemoteRecord, recordOf } from './remote-record.js'
import { type AbortSignalLike, listen, unlisten } from './signals.js'
import { CALL, CANCEL, TAG_RESULT, TELL } from './wire.js'

/** A call's arguments as JSON, with what its tags need. */
interface EncodedArguments {
  readonly json: string
  readonly encoder: Encoder | null
}

export class Caller implements Pipeline {
  readonly #exchange: Exchange
  readonly #timeoutMs: number
  #pending: Map<number, CallPromise> | null = null
  #lastId = 0
  #isClosed = false

  /** `timeoutMs`: the deadline of calls that have none of their own; 0 is none. */
  constructor(exchange: Exchange, timeoutMs: number) {
    this.#exchange = exchange
    this.#timeoutMs = timeoutMs
  }

  get pendingCount(): number {
    return this.#pending?.size ?? 0
  }

  call(
    record: RemoteRecord,
    quotedMethod: string,
    args: unknown[],
    pin: object,
    options?: CallOptions,
  ): CallPromise {
    if (record.isDead || this.#isClosed) return this.#failed(this.#deadReference(record))
    // A promise of an earlier tick, or of another connection, has no place on the wire: its value has.
    if (!this.#canSend(args)) {
      // Each in a list of its own: whatever is no such promise stays what it is.
      const values = args.map(async (arg) => [CallPromise.isCallPromise(arg) ? await arg : arg])
      return this.#later(Promise.all(values), options, (settled) =>
        this.call(record, quotedMethod, (settled as unknown[][]).flat(), pin, options),
      )
    }
    return this.#start(record.id, quotedMethod, args, pin, options)
  }

  tell(record: RemoteRecord, quotedMethod: string, args: unknown[], encoded?: string): void {
    if (record.isDead || this.#isClosed) return
    this.#exchange.outbox.settle()
    const { json, encoder } =
      encoded === undefined ? this.#encode(args) : { json: encoded, encoder: null }
    this.#exchange.say(TELL, `${record.id},${quotedMethod},`, json, encoder)
  }

  callOnResult(promise: CallPromise, method: string, args: unknown[]): CallPromise {
    // A call that has to wait for an argument would come after the tick that knows the result.
    if (this.#canPipeline(promise) && this.#canSend(args)) {
      return this.#start(-promise._id, JSON.stringify(method), args, null, promise._options)
    }
    return this.#later(promise, promise._options, (result) => {
      const record = isObject(result) ? recordOf(result) : null
      if (record === null) {
        throw new CallError(
          'PB_ERR_REF_NOT_CALLABLE',
          `${method}: the result it was called on is no reference`,
        )
      }
      const pin = result as object
      return record.owner.call(record, JSON.stringify(method), args, pin, promise._options)
    })
  }

  #start(
    target: number,
    quotedMethod: string,
    args: unknown[],
    pin: object | null,
    options?: CallOptions,
  ): CallPromise {
    if (this.pendingCount >= this.#exchange.limits.maxPendingCalls) {
      return this.#failed(
        new CallError(
          'PB_ERR_LIMIT_PENDING_CALLS',
          `${this.#exchange.limits.maxPendingCalls} calls wait for an answer (limits.maxPendingCalls)`,
        ),
      )
    }
    if (options?.signal?.aborted === true) return this.#failed(options.signal.reason)
    try {
      const { json, encoder } = this.#encode(args)
      const signals = encoder?.signals ?? null
      const aborted = signals?.find((signal) => signal.aborted)
      if (aborted !== undefined) {
        encoder?.takeBack()
        return this.#failed(aborted.reason)
      }
      // What was to be told first may make calls of its own.
      this.#exchange.outbox.settle()
      const id = this.#lastId + 1
      this.#exchange.say(CALL, `${id},${target},${quotedMethod},`, json, encoder)
      if (this.#isClosed) {
        // By a getter in the arguments, or by a transport that failed.
        encoder?.takeBack()
        throw new ConnectionLostError('the connection has ended', 'not-sent')
      }
      this.#lastId = id
      const { tick, frames } = this.#exchange.outbox
      const call = new CallPromise(this, id, tick, frames, pin, options)
      this.#pending ??= new Map()
      this.#pending.set(id, call)
      if (options !== undefined || signals !== null || this.#timeoutMs > 0)
        this.#watch(call, options, signals, (error) => {
          if (this.#take(id) === null) return
          this.#exchange.outbox.say(`[${CANCEL},${id}]`)
          CallPromise.fail(call, error)
        })
      return call
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** Gives a call up when a signal of it aborts or its time is over. */
  #watch(
    call: CallPromise,
    options: CallOptions | undefined,
    inArguments: readonly AbortSignalLike[] | null,
    giveUp: (error: unknown) => void,
  ): void {
    const signals = [
      ...(inArguments ?? []),
      ...(options?.signal === undefined ? [] : [options.signal]),
    ]
    const onAbort = (): void => {
      giveUp(signals.find(({ aborted }) => aborted)?.reason)
    }
    for (const signal of signals) listen(signal, onAbort)
    const timeoutMs = options?.timeoutMs ?? this.#timeoutMs
    const timer =
      timeoutMs > 0
        ? setTimeout(() => {
            giveUp(new CallError('PB_ERR_CALL_TIMEOUT', `no answer in ${timeoutMs} ms`))
          }, timeoutMs)
        : undefined
    CallPromise.whenSettled(call, () => {
      clearTimeout(timer)
      for (const signal of signals) unlisten(signal, onAbort)
    })
  }

  #encode(args: unknown[]): EncodedArguments {
    // The list of arguments is not a value: its own level does not count, and it is never a tag.
    const { maxDepth, maxFrameBytes } = this.#exchange.limits
    if (typeof args[0] !== 'string' || !args[0].startsWith('$')) {
      if (isPlain(args, maxDepth + 1, maxFrameBytes))
        return { json: JSON.stringify(args), encoder: null }
    }
    const encoder = new Encoder(this.#exchange)
    try {
      const encoded = args.map((arg, index) =>
        CallPromise.isCallPromise(arg) && this.#canPipeline(arg)
          ? [TAG_RESULT, arg._id]
          : encoder.encode(arg, `args[${index}]`),
      )
      return { json: JSON.stringify(encoded), encoder }
    } catch (error) {
      encoder.takeBack()
      throw error
    }
  }

  /** An answer; of a call long settled it is dropped, of one never made a breach of protocol. */
  answered(id: number, value: unknown): void {
    const call = this.#take(id)
    if (call !== null) CallPromise.settle(call, value)
  }

  refused(id: number, error: unknown): void {
    const call = this.#take(id)
    if (call !== null) CallPromise.fail(call, error)
  }

  refusedByPeer(id: number, code: string, message: string, data: unknown): void {
    this.refused(id, errorFromWire(code, message, data))
  }

  #take(id: number): CallPromise | null {
    const call = this.#pending?.get(id)
    if (call === undefined) {
      if (id > this.#lastId) throw new ProtocolError('an answer to a call never made')
      return null
    }
    this.#pending?.delete(id)
    return call
  }

  /** Rejects every call that waits, each with what is known of it. */
  close(reason: string): void {
    this.#isClosed = true
    const pending = this.#pending
    this.#pending = null
    if (pending === null) return
    const sentFrames = this.#exchange.outbox.frames
    for (const call of pending.values()) {
      const outcome = call._frame < sentFrames ? 'unknown' : 'not-sent'
      CallPromise.fail(
        call,
        new ConnectionLostError(`the connection ended before the answer: ${reason}`, outcome),
      )
    }
  }

  #canPipeline(promise: CallPromise): boolean {
    return (
      CallPromise.pipelineOf(promise) === this &&
      promise._id !== 0 &&
      promise._tick === this.#exchange.outbox.tick &&
      !this.#isClosed
    )
  }

  /** Whether every argument is a value, or a result that the callee still knows. */
  #canSend(args: unknown[]): boolean {
    return !args.some((arg) => CallPromise.isCallPromise(arg) && !this.#canPipeline(arg))
  }

  /** A call that can only be made when something else has settled; it has an id of its own by then. */
  #later(
    first: Promise<unknown>,
    options: CallOptions | undefined,
    then: (value: unknown) => unknown,
  ): CallPromise {
    const call = new CallPromise(this, 0, 0, 0, null, options)
    let isOver = false
    if (options !== undefined || this.#timeoutMs > 0) {
      this.#watch(call, options, null, (error) => {
        isOver = true
        CallPromise.fail(call, error)
      })
    }
    first
      .then((value) => (isOver ? undefined : then(value)))
      .then(
        (value) => {
          CallPromise.settle(call, value)
        },
        (error: unknown) => {
          CallPromise.fail(call, error)
        },
      )
    return call
  }

  #failed(error: unknown): CallPromise {
    const call = new CallPromise(this, 0, 0, 0, null)
    CallPromise.fail(call, error)
    return call
  }

  #deadReference(record: RemoteRecord): DeadReferenceError {
    return new DeadReferenceError(
      this.#isClosed
        ? `${record.describe()} is dead: its connection has ended`
        : `${record.describe()} is dead: it was released, or the other side offers none`,
    )
  }
}
