/** What one connection's values are made of beside plain data, and how values and errors are said. */
import type { Copies } from './copyable.js'
import { Encoder } from './encoder.js'
import { type PerspectiveError, RemoteError } from './errors.js'
import type { Failures } from './failures.js'
import type { HandleOwner, RemoteRecord } from './remote-record.js'
import type { Limits } from './limits.js'
import { Mirrors } from './mirrors.js'
import type { Outbox } from './outbox.js'
import { isPlain, measure } from './plain-value.js'
import { ReferenceTables } from './reference-tables.js'
import { Signals } from './signals.js'
import { Streams } from './streams.js'
import { CHUNK, TAGGED } from './wire.js'

/** What is left of the message of an error that does not fit a frame. */
const MAX_SHORT_MESSAGE = 100

export class Exchange {
  readonly outbox: Outbox
  readonly limits: Limits
  readonly copies: Copies
  readonly failures: Failures
  readonly tables: ReferenceTables
  readonly signals: Signals
  readonly streams: Streams
  readonly mirrors: Mirrors
  /** What the peer's calls come to first: on a server the avatar. Null until it is there. */
  root: object | null = null
  readonly peerRoot: RemoteRecord

  constructor(
    owner: HandleOwner,
    peerRoot: RemoteRecord,
    outbox: Outbox,
    limits: Limits,
    copies: Copies,
    failures: Failures,
  ) {
    this.peerRoot = peerRoot
    this.outbox = outbox
    this.limits = limits
    this.copies = copies
    this.failures = failures
    this.tables = new ReferenceTables(owner, this)
    this.signals = new Signals(this)
    this.streams = new Streams(this)
    this.mirrors = new Mirrors(this)
  }

  /**
   * Says a message that ends with encoded values, and with what their tags need: taken back where it cannot be said.
   *
   * @param head - What comes before the values, with its comma.
   * @param encoder - Null where JSON says all of them.
   */
  say(kind: number, head: string, json: string, encoder: Encoder | null): void {
    try {
      if (encoder === null) this.outbox.say(`[${kind},${head}${json}]`)
      else this.outbox.say(`[${kind | TAGGED},${head}${json},${encoder.byteCount}]`, encoder.bytes)
    } catch (error) {
      encoder?.takeBack()
      throw error
    }
  }

  /**
   * Says a message that ends with a value, in the form that the value needs.
   *
   * @param head - What comes before the value, with its comma.
   * @param name - Begins the path in errors.
   * @returns What a chunk costs of a stream's credit; of other messages how long the value is.
   * @throws UnsendableError, CallError - the value cannot cross; nothing was said and nothing is held for it.
   */
  sayValue(kind: number, head: string, value: unknown, name: string): number {
    this.outbox.settle()
    if (isPlain(value, this.limits.maxDepth, this.limits.maxFrameBytes)) {
      const json = JSON.stringify(value)
      this.say(kind, head, json, null)
      return kind === CHUNK ? measure(value) : json.length
    }
    const encoder = new Encoder(this)
    try {
      const encoded = encoder.encode(value, name)
      const json = JSON.stringify(encoded)
      this.say(kind, head, json, encoder)
      return (kind === CHUNK ? measure(encoded) : json.length) + encoder.byteCount
    } catch (error) {
      encoder.takeBack()
      throw error
    }
  }

  /** Says an error, without its data where that cannot cross. */
  sayError(kind: number, id: number, error: PerspectiveError): void {
    // A subclass of the application's may have put anything there.
    const shown: { code: unknown; message: unknown } = error
    const message = String(shown.message)
    const head = `${id},${JSON.stringify(String(shown.code))},`
    const say = (text: string): void => {
      this.outbox.say(`[${kind},${head}${JSON.stringify(text)}]`)
    }
    try {
      if (error instanceof RemoteError && error.data !== undefined) {
        this.sayValue(kind, `${head}${JSON.stringify(message)},`, error.data, 'data')
      } else say(message)
    } catch (reason) {
      this.failures.report(reason, { id: '', method: '' })
      try {
        say(message)
      } catch {
        say(message.slice(0, MAX_SHORT_MESSAGE))
      }
    }
  }

  /** Ends everything that lives longer than a call. */
  close(reason: string): void {
    this.streams.close(reason)
    this.mirrors.close()
    this.tables.clear()
    this.signals.close(reason)
    this.root = null
  }
}
