/**
 * Reads frames. Everything a peer can get wrong ends here, in one way: a {@link ProtocolError} that the broker turns
 * into close code 4400. Nothing is thrown out of {@link Inbox.read}, and nothing half read stays.
 */
import type { PeerHello } from './broker-options.js'
import type { Callee } from './callee.js'
import type { Caller } from './caller.js'
import { Decoder } from './decoder.js'
import { CallError, type PerspectiveError, ProtocolError } from './errors.js'
import type { Exchange } from './exchange.js'
import { type Frame, NO_BYTES, cut, parseFrame } from './frame.js'
import { isNatural, isShallow, measure } from './plain-value.js'
import { ResultArgument } from './tick-results.js'
import {
  ABORT,
  ANSWER,
  CALL,
  CANCEL,
  CHUNK,
  CREDIT,
  END,
  ERROR,
  FAIL,
  FORGET,
  HELLO,
  NOTICE,
  RELEASE,
  STOP,
  TAGGED,
  TAG_RESULT,
  TELL,
  UPDATE,
} from './wire.js'

const isInteger = Number.isSafeInteger as (value: unknown) => value is number

export class Inbox {
  readonly #exchange: Exchange
  readonly #caller: Caller
  readonly #callee: Callee
  readonly #onHello: (hello: PeerHello) => void
  readonly #onNotice: (notice: unknown) => void
  /** The bytes of the frame that is being read, without those that a message has. */
  #bytes: Uint8Array = NO_BYTES
  /** A frame whose bytes are the next one. */
  #announced: Frame | null = null
  #isStopped = false

  constructor(
    exchange: Exchange,
    caller: Caller,
    callee: Callee,
    onHello: (hello: PeerHello) => void,
    onNotice: (notice: unknown) => void,
  ) {
    this.#exchange = exchange
    this.#caller = caller
    this.#callee = callee
    this.#onHello = onHello
    this.#onNotice = onNotice
  }

  /** Ignores whatever comes from now on, also the rest of a frame that is being read. */
  stop(): void {
    this.#isStopped = true
    this.#announced = null
    this.#bytes = NO_BYTES
  }

  /**
   * Reads one frame to its end.
   *
   * @throws ProtocolError - and nothing else.
   */
  read(frame: string | Uint8Array): void {
    if (this.#isStopped) return
    const parsed = parseFrame(frame, this.#exchange.limits.maxFrameBytes, this.#announced)
    this.#announced = parsed.bytes === null ? parsed : null
    if (parsed.bytes === null) return
    this.#bytes = parsed.bytes
    for (const message of parsed.messages) {
      if (!Array.isArray(message)) throw new ProtocolError('a message that is not an array')
      this.#message(message as unknown[])
      // The message may have ended the connection.
      if (this.#isStopped) return
    }
    if (this.#bytes.byteLength > 0) throw new ProtocolError('bytes that nobody speaks of')
    this.#bytes = NO_BYTES
    if (!parsed.continues) this.#callee.endTick()
  }

  #message(message: unknown[]): void {
    const kind = message[0]
    if (!isInteger(kind)) throw new ProtocolError('a kind that is no number')
    const isTagged = (kind & TAGGED) !== 0
    // Taken off, or it would pass for a value that was left out.
    const byteCount = isTagged ? message.pop() : 0
    const decoder = isTagged ? this.#decoder(byteCount) : null
    const { length } = message
    switch (kind) {
      case HELLO:
        if (length < 2 || length > 3 || (message[1] !== 0 && message[1] !== 1)) break
        if (!isShallow(message[2], this.#exchange.limits.maxDepth)) break
        this.#onHello({ hasRoot: message[1] === 1, info: message[2] })
        return
      case NOTICE:
        if (length !== 2 || !isShallow(message[1], this.#exchange.limits.maxDepth)) break
        this.#onNotice(message[1])
        return
      case CALL:
      case CALL | TAGGED:
        if (
          length !== 5 ||
          !isPositive(message[1]) ||
          !isInteger(message[2]) ||
          !isCall(message[3], message[4])
        )
          break
        this.#call(message[1], message[2], message[3] as string, message[4] as unknown[], decoder)
        return
      case TELL:
      case TELL | TAGGED:
        if (length !== 4 || !isInteger(message[1]) || !isCall(message[2], message[3])) break
        this.#tell(message[1], message[2] as string, message[3] as unknown[], decoder)
        return
      case ANSWER:
      case ANSWER | TAGGED:
        if (length < 2 || length > 3 || !isPositive(message[1])) break
        this.#answer(message[1], message[2], decoder)
        return
      case ERROR:
      case ERROR | TAGGED:
      case FAIL:
      case FAIL | TAGGED:
        if (length < 4 || length > 5 || !isPositive(message[1])) break
        if (typeof message[2] !== 'string' || typeof message[3] !== 'string') break
        this.#error(kind, message[1], message[2], message[3], message[4], decoder)
        return
      case CHUNK:
      case CHUNK | TAGGED:
      case UPDATE:
      case UPDATE | TAGGED:
      case ABORT:
      case ABORT | TAGGED:
        if (length < ((kind & ~TAGGED) === ABORT ? 2 : 3) || length > 3 || !isPositive(message[1]))
          break
        this.#event(kind & ~TAGGED, message[1], message[2], decoder, byteCount)
        return
      case CANCEL:
      case FORGET:
      case END:
      case STOP:
        if (length !== 2 || !isPositive(message[1])) break
        this.#plainEvent(kind, message[1])
        return
      case CREDIT:
        if (length !== 3 || !isPositive(message[1]) || !isPositive(message[2])) break
        this.#exchange.streams.credit(message[1], message[2])
        return
      case RELEASE:
        if (length < 3 || length % 2 !== 1) break
        for (let index = 1; index < length; index += 2) {
          this.#exchange.tables.releasedByPeer(message[index], message[index + 1])
        }
        return
    }
    throw new ProtocolError('a message of an unknown kind or a wrong form')
  }

  #decoder(byteCount: unknown): Decoder {
    const [bytes, rest] = cut(this.#bytes, byteCount)
    this.#bytes = rest
    return new Decoder(this.#exchange, bytes)
  }

  #call(
    id: number,
    target: number,
    method: string,
    args: unknown[],
    decoder: Decoder | null,
  ): void {
    const refusal = this.#decodeArguments(args, decoder)
    if (refusal === null) this.#callee.called(id, target, method, args)
    else this.#callee.refuse(id, refusal)
  }

  #tell(target: number, method: string, args: unknown[], decoder: Decoder | null): void {
    const refusal = this.#decodeArguments(args, decoder)
    if (refusal === null) this.#callee.told(target, method, args)
    else this.#callee.toldInVain(refusal, method)
  }

  #answer(id: number, value: unknown, decoder: Decoder | null): void {
    const list = [value]
    const refusal = this.#decodeValues(list, decoder)
    if (refusal === null) this.#caller.answered(id, list[0])
    else this.#caller.refused(id, refusal)
  }

  #error(
    kind: number,
    id: number,
    code: string,
    message: string,
    value: unknown,
    decoder: Decoder | null,
  ): void {
    const list = [value]
    const refusal = this.#decodeValues(list, decoder)
    const data = refusal === null ? list[0] : undefined
    if ((kind & ~TAGGED) === ERROR) this.#caller.refusedByPeer(id, code, message, data)
    else this.#exchange.streams.failed(id, code, message, data)
  }

  /** What happens to something that lives longer than a call. */
  #event(
    kind: number,
    id: number,
    json: unknown,
    decoder: Decoder | null,
    byteCount: unknown,
  ): void {
    const { streams, mirrors, signals } = this.#exchange
    // Before it is decoded in place. A level of a Map is three in JSON; what is deeper is refused and needs no size.
    const isChunk = kind === CHUNK && isShallow(json, this.#exchange.limits.maxDepth * 3 + 3)
    const size = isChunk ? measure(json) + (decoder === null ? 0 : (byteCount as number)) : 0
    const list = [json]
    const refusal = this.#decodeValues(list, decoder)
    const [value] = list
    if (kind === ABORT) signals.abortedByPeer(id, refusal === null ? value : undefined)
    else if (kind === CHUNK && refusal === null) streams.chunk(id, value, size)
    else if (refusal === null) mirrors.updated(id, value)
    else if (kind === CHUNK) streams.refused(id, refusal)
    else throw new ProtocolError(refusal.message)
  }

  #plainEvent(kind: number, id: number): void {
    const { streams, signals } = this.#exchange
    if (kind === CANCEL) this.#callee.cancelled(id)
    else if (kind === FORGET) signals.forgottenByPeer(id)
    else if (kind === END) streams.ended(id)
    else streams.stopped(id)
  }

  #decodeArguments(args: unknown[], decoder: Decoder | null): PerspectiveError | null {
    if (decoder !== null) {
      for (let index = 0; index < args.length; index++) {
        const arg = args[index]
        if (Array.isArray(arg) && arg[0] === TAG_RESULT)
          args[index] = resultArgument(arg as unknown[])
      }
    }
    return this.#decodeValues(args, decoder)
  }

  /** Decodes in place; answers what the call is refused with where the values are well formed and too much. */
  #decodeValues(values: unknown[], decoder: Decoder | null): PerspectiveError | null {
    if (decoder === null) {
      for (const value of values) {
        if (isShallow(value, this.#exchange.limits.maxDepth)) continue
        return new CallError(
          'PB_ERR_LIMIT_VALUE',
          `a value nested deeper than ${this.#exchange.limits.maxDepth}`,
        )
      }
      return null
    }
    for (let index = 0; index < values.length; index++) {
      if (!(values[index] instanceof ResultArgument)) values[index] = decoder.decode(values[index])
    }
    if (!decoder.isExhausted) throw new ProtocolError('bytes that nobody speaks of')
    if (decoder.refusal !== null) decoder.giveBack()
    return decoder.refusal
  }
}

function resultArgument(tag: unknown[]): ResultArgument {
  const callId = tag[1]
  if (tag.length !== 2 || !isPositive(callId))
    throw new ProtocolError('a tag that is malformed or unknown')
  return new ResultArgument(callId)
}

function isCall(method: unknown, args: unknown): boolean {
  return typeof method === 'string' && Array.isArray(args)
}

function isPositive(value: unknown): value is number {
  return isNatural(value) && value > 0
}
