/// <reference lib="esnext.disposable" preserve="true" />
import type { BrokerOptions, BrokerStats, PeerHello } from './broker-options.js'
import { Callee } from './callee.js'
import { Caller } from './caller.js'
import { readCopies } from './copyable.js'
import { ConnectionOwner } from './connection-owner.js'
import { ConnectionLostError, ProtocolError } from './errors.js'
import { Exchange } from './exchange.js'
import { declareLiteral, exposureOf, isReferenceable } from './exposure.js'
import { Failures } from './failures.js'
import { createHandle } from './handle.js'
import { Inbox } from './inbox.js'
import { checkTimeout, resolveLimits } from './limits.js'
import { Outbox } from './outbox.js'
import { measure } from './plain-value.js'
import { RemoteRecord } from './remote-record.js'
import type { Remote } from './remote-types.js'
import type { CloseReason, Transport } from './transport.js'
import {
  CLOSE_FAILED,
  CLOSE_LOST,
  CLOSE_NORMAL,
  CLOSE_PROTOCOL,
  CLOSE_SLOW_PEER,
  HELLO,
  NOTICE,
  ROOT_ID,
  clampReason,
  plainJson,
} from './wire.js'

/** Characters of JSON; the peer keeps it as long as the connection lives. What is counted on the value is at most four times as much. */
const MAX_INFO = 8192

/**
 * One end of one connection: calls, answers and references, over a transport that it owns.
 *
 * `PeerRoot` is the contract of the other side's root.
 */
export class Broker<PeerRoot extends object = object> implements Disposable {
  /** The peer's root, callable at once; calls reject with `DeadReferenceError` where it has none. */
  readonly root: Remote<PeerRoot>
  /** The peer's hello. Rejects with `ConnectionLostError` if the connection ends before; born handled. */
  readonly peer: Promise<PeerHello>
  /** Why the connection ended. Never rejects; calls that waited have been rejected by then. */
  readonly closed: Promise<CloseReason>

  readonly #transport: Transport
  readonly #outbox: Outbox
  readonly #exchange: Exchange
  readonly #caller: Caller
  readonly #callee: Callee
  readonly #inbox: Inbox
  readonly #onNotice: BrokerOptions['onNotice']
  /** Our hello's last element, with its comma; empty where there is none, and when it is said. */
  #info: string
  readonly #owner: ConnectionOwner
  readonly #peerRoot: RemoteRecord
  #hello: PeerHello | null = null
  #resolvePeer!: (hello: PeerHello) => void
  #rejectPeer!: (error: Error) => void
  #resolveClosed!: (reason: CloseReason) => void
  #isClosed = false

  /**
   * Takes over a transport and says hello.
   *
   * @param transport - An open or opening connection; nobody else may use it from here on.
   * @param options - What the peer may call, and what it may cost.
   * @throws TypeError - a limit or root that is none, a `remote` table that does not fit, an `info` that is no JSON or too long.
   */
  constructor(transport: Transport, options: BrokerOptions = {}) {
    const limits = resolveLimits(options.limits)
    checkTimeout('callTimeoutMs', options.callTimeoutMs)
    this.#transport = transport
    // Not the options: they hold what was said in the hello.
    this.#onNotice = options.onNotice
    this.#info = options.info === undefined ? '' : `,${infoJson(options.info)}`
    this.#outbox = new Outbox(transport, limits, (isSlow) => {
      this.#fail(
        isSlow
          ? { code: CLOSE_SLOW_PEER, reason: 'PB_ERR_LIMIT_QUEUED_BYTES', byPeer: false }
          : { code: CLOSE_LOST, reason: 'the transport failed', byPeer: false },
      )
    })
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#owner = new ConnectionOwner(this.closed)
    this.#peerRoot = new RemoteRecord(this.#owner, ROOT_ID, false)
    this.#exchange = new Exchange(
      this.#owner,
      this.#peerRoot,
      this.#outbox,
      limits,
      readCopies(options.copyables),
      new Failures(options.onCallError),
    )
    this.#caller = new Caller(this.#exchange, options.callTimeoutMs ?? 0)
    this.#owner.begin(this.#exchange, this.#caller)
    this.#callee = new Callee(this.#exchange, options)
    this.#inbox = new Inbox(
      this.#exchange,
      this.#caller,
      this.#callee,
      (hello) => {
        this.#greeted(hello)
      },
      (notice) => {
        this.#noticed(notice)
      },
    )
    this.root = createHandle(this.#peerRoot) as Remote<PeerRoot>
    this.peer = new Promise((resolve, reject) => {
      this.#resolvePeer = resolve
      this.#rejectPeer = reject
    })
    this.peer.catch(() => undefined)
    this.#offer(options.root)
    transport.onFrame((frame) => {
      this.#receive(frame)
    })
    transport.onClose((reason) => {
      this.#end(reason)
    })
  }

  /** What is held now. Both sides' tables are empty again when everything was released and answered. */
  get stats(): BrokerStats {
    return {
      exported: this.#exchange.tables.exportCount,
      imported: this.#exchange.tables.importCount,
      pending: this.#caller.pendingCount,
      running: this.#callee.runningCount,
      streams: this.#exchange.streams.count,
      signals: this.#exchange.signals.receivedCount,
    }
  }

  /**
   * Ends the connection: what was said in this tick leaves, nothing more is dispatched, calls that wait reject with
   * `ConnectionLostError`, references die. Idempotent.
   *
   * @param code - 1000, or 3000–4999; a page may send no other.
   * @param reason - Cut to 123 bytes of UTF-8.
   */
  close(code: number = CLOSE_NORMAL, reason = ''): void {
    if (this.#isClosed) return
    this.#outbox.flush()
    this.#fail({ code, reason: clampReason(reason), byPeer: false })
  }

  /**
   * Tells whoever made the other broker, beside all calls and in their order: heartbeats, tokens. Of a closed broker nothing
   * leaves.
   *
   * @param notice - Plain JSON.
   * @throws TypeError - JSON does not say it.
   * @throws CallError `PB_ERR_LIMIT_FRAME`
   */
  notify(notice: unknown): void {
    this.#outbox.say(`[${NOTICE},${plainJson('notice', notice)}]`)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #offer(root: object | PromiseLike<object> | undefined): void {
    if (root === undefined) {
      this.#sayHello(false)
    } else if (typeof (root as PromiseLike<object>).then === 'function' && !isReferenceable(root)) {
      this.#callee.holdRoot()
      // A rejection is the business of whoever made the promise: it has to close.
      Promise.resolve(root as PromiseLike<object>).then(
        (object) => {
          try {
            this.#publish(object)
          } catch (error) {
            this.#exchange.failures.report(error, { id: '', method: '' })
            this.#fail({ code: CLOSE_FAILED, reason: 'the root cannot be offered', byPeer: false })
          }
        },
        () => undefined,
      )
    } else {
      this.#publish(root)
    }
  }

  #publish(root: object): void {
    if (!isReferenceable(root)) declareLiteral(root)
    exposureOf(root)
    this.#callee.setRoot(root)
    this.#sayHello(true)
  }

  #sayHello(hasRoot: boolean): void {
    this.#outbox.say(`[${HELLO},${hasRoot ? '1' : '0'}${this.#info}]`)
    this.#info = ''
  }

  #greeted(hello: PeerHello): void {
    if (this.#hello !== null) throw new ProtocolError('a second hello')
    if (measure(hello.info) > MAX_INFO * 4) throw new ProtocolError('a hello with too much to say')
    this.#hello = hello
    this.#peerRoot.isDead = !hello.hasRoot
    this.#resolvePeer(hello)
  }

  #noticed(notice: unknown): void {
    try {
      this.#onNotice?.(notice)
    } catch (error) {
      this.#exchange.failures.report(error, { id: '', method: 'onNotice' })
    }
  }

  #receive(frame: string | Uint8Array): void {
    if (this.#isClosed) return
    this.#outbox.beginReading()
    try {
      this.#inbox.read(frame)
    } catch (error) {
      const isBreach = error instanceof ProtocolError
      // A fault of our own: whoever looks after this side has to hear of it.
      if (!isBreach) this.#exchange.failures.report(error, { id: '', method: '' })
      const reason = isBreach ? `${error.code}: ${error.message}` : 'PB_ERR_WIRE_PROTOCOL'
      this.#fail({ code: CLOSE_PROTOCOL, reason: clampReason(reason), byPeer: false })
    } finally {
      this.#outbox.endReading()
    }
  }

  #fail(reason: CloseReason): void {
    if (this.#isClosed) return
    this.#end(reason)
    try {
      this.#transport.close(reason.code === CLOSE_LOST ? CLOSE_NORMAL : reason.code, reason.reason)
    } catch {
      this.#hangUp()
    }
  }

  /** A code that the platform does not send must not keep the connection open. */
  #hangUp(): void {
    try {
      this.#transport.close(CLOSE_NORMAL, '')
    } catch {
      // It is over either way.
    }
  }

  #end(reason: CloseReason): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const why = describe(reason)
    this.#inbox.stop()
    this.#outbox.stop()
    this.#caller.close(why)
    this.#callee.close(why)
    this.#exchange.close(why)
    this.#peerRoot.isDead = true
    this.#rejectPeer(
      new ConnectionLostError(`the connection ended before the hello: ${why}`, 'unknown'),
    )
    this.#resolveClosed(reason)
    this.#owner.end()
  }
}

function describe({ code, reason }: CloseReason): string {
  return reason === '' ? String(code) : `${String(code)} ${reason}`
}

function infoJson(info: unknown): string {
  const json = plainJson('info', info)
  if (json.length <= MAX_INFO) return json
  throw new TypeError(`info: expected ${MAX_INFO} characters of JSON at most, got ${json.length}`)
}
