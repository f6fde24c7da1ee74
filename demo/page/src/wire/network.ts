/** This page's network, with a switch to pull it: what `login` is given for `WebSocket` and `fetch`. */
import type { WebSocketConstructor, WebSocketLike } from 'fastify-perspective/client'
import { Store } from '../store.js'
import type { WireLog } from './wire-log.js'

export class Network {
  readonly isOn = new Store(true)
  readonly WebSocket: WebSocketConstructor

  constructor(log: WireLog) {
    const { isOn } = this
    this.WebSocket = class extends SwitchedSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, isOn, log)
      }
    }
  }

  readonly fetch: typeof fetch = (...args) =>
    this.isOn.get() ? fetch(...args) : Promise.reject(new TypeError('the network is off'))
}

/** A WebSocket that the switch can cut, and whose frames are listened to. */
class SwitchedSocket implements WebSocketLike {
  readonly #events = new EventTarget()
  readonly #isOn: Store<boolean>
  readonly #log: WireLog
  /** Null: there is no network to open one on, or it was pulled. */
  #socket: WebSocket | null = null

  constructor(url: string, protocols: string[], isOn: Store<boolean>, log: WireLog) {
    this.#isOn = isOn
    this.#log = log
    log.opened()
    if (isOn.get()) this.#open(new WebSocket(url, protocols))
    else queueMicrotask(() => this.#end(1006))
  }

  #open(socket: WebSocket): void {
    this.#socket = socket
    socket.addEventListener('open', () => this.#events.dispatchEvent(new Event('open')))
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (this.#socket === null) return
      this.#log.received(data)
      this.#events.dispatchEvent(new MessageEvent('message', { data }))
    })
    socket.addEventListener('close', ({ code, reason }) => this.#end(code, reason))
    const unsubscribe = this.#isOn.subscribe(() => {
      // A page cannot cut the cable. It can stop listening, as if somebody had.
      if (!this.#isOn.get()) this.#end(1006)
    })
    this.#events.addEventListener('close', unsubscribe, { once: true })
  }

  #end(code: number, reason = ''): void {
    const socket = this.#socket
    this.#socket = null
    socket?.close()
    this.#events.dispatchEvent(new CloseEvent('close', { code, reason }))
  }

  get binaryType(): BinaryType {
    return this.#socket?.binaryType ?? 'arraybuffer'
  }

  set binaryType(type: BinaryType) {
    if (this.#socket !== null) this.#socket.binaryType = type
  }

  get readyState(): number {
    return this.#socket?.readyState ?? WebSocket.CLOSED
  }

  get bufferedAmount(): number {
    return this.#socket?.bufferedAmount ?? 0
  }

  readonly addEventListener: WebSocketLike['addEventListener'] = (
    type: string,
    listener: (event: never) => void,
  ) => {
    this.#events.addEventListener(type, listener as EventListener)
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#log.sent(data)
    this.#socket?.send(data)
  }

  close(code?: number, reason?: string): void {
    this.#socket?.close(code, reason)
  }
}
