/**
 * The promise of a call: a native promise on whose result methods can be called before it is there. A class of its
 * own with one shared proxy above its prototype costs a fraction of a proxy for each call, and awaits as fast as any.
 */
import type { CallOptions } from './remote-record.js'
import { isReservedName } from './reserved-names.js'

/** Who made a promise, and starts the calls made on it. */
export interface Pipeline {
  /** Calls a method of what the promise will resolve to. */
  callOnResult(promise: CallPromise, method: string, args: unknown[]): CallPromise
}

const noop = (): void => undefined
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a promise as `this`
const nativeThen = Promise.prototype.then

let resolveNext: (value: unknown) => void = noop
let rejectNext: (reason: unknown) => void = noop
const capture = (resolve: (value: unknown) => void, reject: (reason: unknown) => void): void => {
  resolveNext = resolve
  rejectNext = reject
}

/** One call that was made; the promise is the caller's, the rest the broker's. */
export class CallPromise extends Promise<unknown> {
  readonly #pipeline: Pipeline
  readonly #resolve: (value: unknown) => void
  readonly #reject: (reason: unknown) => void
  // Reserved names: any other would hide a method of the result.
  /** The call's id; 0 where it waits for another and has none. */
  readonly _id: number
  /** The outbox's tick in which it was said; it can be pipelined onto in that tick only. */
  readonly _tick: number
  /** The number of the frame it was said into. */
  readonly _frame: number
  /** What it was made with; calls on its result are part of it. */
  readonly _options: CallOptions | undefined
  /** Keeps the handle that was called from being collected until the answer. */
  _pin: unknown

  constructor(
    pipeline: Pipeline,
    id: number,
    tick: number,
    frame: number,
    pin: unknown,
    options?: CallOptions,
  ) {
    super(capture)
    this.#resolve = resolveNext
    this.#reject = rejectNext
    // Else the last call of the process would hold what it was made on and what it came to.
    resolveNext = rejectNext = noop
    this.#pipeline = pipeline
    this._id = id
    this._tick = tick
    this._frame = frame
    this._pin = pin
    this._options = options
  }

  static isCallPromise(value: unknown): value is CallPromise {
    return typeof value === 'object' && value !== null && #pipeline in value
  }

  static pipelineOf(promise: CallPromise): Pipeline {
    return promise.#pipeline
  }

  static settle(promise: CallPromise, value: unknown): void {
    promise._pin = null
    promise.#resolve(value)
  }

  /** Runs when the promise has settled, either way. */
  static whenSettled(promise: CallPromise, run: () => void): void {
    void nativeThen.call(promise, run, run)
  }

  /** Rejects without ever being an unhandled rejection: a page that vanishes must not end the server. */
  static fail(promise: CallPromise, error: unknown): void {
    void nativeThen.call(promise, undefined, noop)
    promise._pin = null
    promise.#reject(error)
  }
}

const members = CallPromise.prototype as unknown as Record<string, unknown>
const native = Promise.prototype as unknown as Record<string, unknown>
for (const name of ['then', 'catch', 'finally']) {
  Object.defineProperty(members, name, { value: native[name], writable: true, configurable: true })
}
// `await` takes a promise as it is when its constructor is Promise; anything else costs two more ticks.
Object.defineProperty(members, 'constructor', {
  value: Promise,
  writable: true,
  configurable: true,
})
Object.setPrototypeOf(
  members,
  new Proxy(Object.create(Promise.prototype) as object, {
    get(target, name, receiver: CallPromise) {
      if (name === Symbol.asyncIterator) return () => iterate(receiver)
      if (typeof name === 'symbol' || isReservedName(name))
        return Reflect.get(target, name) as unknown
      return (...args: unknown[]) =>
        CallPromise.pipelineOf(receiver).callOnResult(receiver, name, args)
    },
  }),
)

/** A call that answers a stream can be iterated as it is. */
async function* iterate(promise: Promise<unknown>): AsyncGenerator {
  yield* (await promise) as AsyncIterable<unknown>
}
