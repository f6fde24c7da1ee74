/** The calling side of one connection: calls that leave, and the answers that come back. */
import { Encoder } from './encoder.js'
import {
  CallError,
  ConnectionLostError,
  DeadReferenceError,
  ProtocolError,
  errorFromWire,
} from './errors.js'
import type { Limits } from './limits.js'
import { type RemoteRecord, recordOf } from './handle.js'
import type { Outbox } from './outbox.js'
import { isPlain } from './plain-value.js'
import type { ReferenceTables } from './reference-tables.js'
import { CallPromise, type Pipeline } from './remote-promise.js'
import { CALL, TAGGED, TAG_RESULT, TELL } from './wire.js'

/** A call's arguments as JSON, with what its tags need. */
interface EncodedArguments {
  readonly json: string
  readonly encoder: Encoder | null
}

export class Caller implements Pipeline {
  readonly #tables: ReferenceTables
  readonly #outbox: Outbox
  readonly #limits: Limits
  #pending: Map<number, CallPromise> | null = null
  #lastId = 0
  #isClosed = false

  constructor(tables: ReferenceTables, outbox: Outbox, limits: Limits) {
    this.#tables = tables
    this.#outbox = outbox
    this.#limits = limits
  }

  get pendingCount(): number {
    return this.#pending?.size ?? 0
  }

  call(record: RemoteRecord, quotedMethod: string, args: unknown[], pin: object): CallPromise {
    if (record.isDead || this.#isClosed) return this.#failed(this.#deadReference(record))
    return this.#start(record.id, quotedMethod, args, pin)
  }

  tell(record: RemoteRecord, quotedMethod: string, args: unknown[]): void {
    if (record.isDead || this.#isClosed) return
    const { json, encoder } = this.#encode(args)
    const kind = encoder === null ? TELL : TELL | TAGGED
    const end = encoder === null ? '' : `,${String(encoder.byteCount)}`
    this.#say(`[${String(kind)},${String(record.id)},${quotedMethod},${json}${end}]`, encoder)
  }

  callOnResult(promise: CallPromise, method: string, args: unknown[]): CallPromise {
    if (this.#canPipeline(promise)) {
      return this.#start(-promise.id, JSON.stringify(method), args, null)
    }
    return this.#later(promise, (result) => {
      const record =
        (typeof result === 'object' && result !== null) || typeof result === 'function'
          ? recordOf(result)
          : null
      if (record === null) {
        throw new CallError(
          'PB_ERR_REF_NOT_CALLABLE',
          `${method}: the result it was called on is no reference`,
        )
      }
      return record.owner.call(record, JSON.stringify(method), args, result as object)
    })
  }

  #start(target: number, quotedMethod: string, args: unknown[], pin: object | null): CallPromise {
    // A promise of an earlier tick, or of another connection, has no place on the wire: its value has.
    if (args.some((arg) => CallPromise.isCallPromise(arg) && !this.#canPipeline(arg))) {
      return this.#later(Promise.all(args), (settled) =>
        this.#start(target, quotedMethod, settled as unknown[], pin),
      )
    }
    if (this.#isClosed) return this.#failed(new DeadReferenceError('the connection has ended'))
    if (this.pendingCount >= this.#limits.maxPendingCalls) {
      return this.#failed(
        new CallError(
          'PB_ERR_LIMIT_PENDING_CALLS',
          `${String(this.#limits.maxPendingCalls)} calls wait for an answer (limits.maxPendingCalls)`,
        ),
      )
    }
    try {
      const { json, encoder } = this.#encode(args)
      const id = this.#lastId + 1
      const kind = encoder === null ? CALL : CALL | TAGGED
      const end = encoder === null ? '' : `,${String(encoder.byteCount)}`
      this.#say(
        `[${String(kind)},${String(id)},${String(target)},${quotedMethod},${json}${end}]`,
        encoder,
      )
      this.#lastId = id
      const call = new CallPromise(this, id, this.#outbox.tick, this.#outbox.frames, pin)
      this.#pending ??= new Map()
      this.#pending.set(id, call)
      return call
    } catch (error) {
      return this.#failed(error)
    }
  }

  #encode(args: unknown[]): EncodedArguments {
    // The list of arguments is not a value: its own level does not count, and it is never a tag.
    if (typeof args[0] !== 'string' || !args[0].startsWith('$')) {
      if (isPlain(args, this.#limits.maxDepth + 1))
        return { json: JSON.stringify(args), encoder: null }
    }
    const encoder = new Encoder(this.#tables, this.#limits)
    try {
      const encoded = args.map((arg, index) =>
        CallPromise.isCallPromise(arg)
          ? [TAG_RESULT, arg.id]
          : encoder.encode(arg, `args[${String(index)}]`),
      )
      return { json: JSON.stringify(encoded), encoder }
    } catch (error) {
      encoder.takeBack()
      throw error
    }
  }

  #say(message: string, encoder: Encoder | null): void {
    try {
      this.#outbox.say(message, encoder?.bytes)
    } catch (error) {
      encoder?.takeBack()
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
    const sentFrames = this.#outbox.frames
    for (const call of pending.values()) {
      const outcome = call.frame < sentFrames ? 'unknown' : 'not-sent'
      CallPromise.fail(
        call,
        new ConnectionLostError(`the connection ended before the answer: ${reason}`, outcome),
      )
    }
  }

  #canPipeline(promise: CallPromise): boolean {
    return (
      CallPromise.pipelineOf(promise) === this &&
      promise.id !== 0 &&
      promise.tick === this.#outbox.tick &&
      !this.#isClosed
    )
  }

  /** A call that can only be made when something else has settled; it has an id of its own by then. */
  #later(first: Promise<unknown>, then: (value: unknown) => unknown): CallPromise {
    const call = new CallPromise(this, 0, 0, 0, null)
    first.then(then).then(
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
