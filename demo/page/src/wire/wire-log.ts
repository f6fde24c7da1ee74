/** What has gone over the wire, for the panel: the last messages in words, and how long calls took. */
import { Store } from '../store.js'
import { FrameReader, type Message } from './frames.js'
import { type Said, type Settled, describe } from './words.js'

const KEPT_LINES = 120
const KEPT_LATENCIES = 80
/** How far back a line may be to count what is like it, instead of another line. */
const REPEAT_WITHIN = 6

export interface WireLine extends Said {
  readonly id: number
  readonly isSent: boolean
  readonly count: number
}

export interface WireView {
  readonly lines: readonly WireLine[]
  /** In ms: from this page's call to the server's answer. */
  readonly latencies: readonly number[]
  readonly frames: { readonly sent: number; readonly received: number }
}

export class WireLog {
  readonly view = new Store<WireView>({
    lines: [],
    latencies: [],
    frames: { sent: 0, received: 0 },
  })
  #readers = { sent: new FrameReader(), received: new FrameReader() }
  #next = this.view.get()
  #lastId = 0
  /** Calls that are not answered yet: ours by their id, the server's by the negative of it. */
  readonly #calls = new Map<number, { readonly method: string; readonly at: number }>()

  /** A connection begins, whatever the one before has left half said. */
  readonly opened = (): void => {
    this.#readers = { sent: new FrameReader(), received: new FrameReader() }
    this.#calls.clear()
  }

  readonly sent = (frame: unknown): void => {
    this.#add(frame, true)
  }

  readonly received = (frame: unknown): void => {
    this.#add(frame, false)
  }

  readonly clear = (): void => {
    this.#show({ ...this.#next, lines: [] })
  }

  #add(frame: unknown, isSent: boolean): void {
    let { lines, latencies, frames } = this.#next
    const reader = isSent ? this.#readers.sent : this.#readers.received
    for (const message of reader.read(frame)) {
      const settled = this.#follow(message, isSent)
      lines = withLine(lines, describe(message, settled), isSent, ++this.#lastId)
      if (settled?.ms != null) latencies = [...latencies, settled.ms].slice(-KEPT_LATENCIES)
    }
    const [sent, received] = isSent ? [1, 0] : [0, 1]
    frames = { sent: frames.sent + sent, received: frames.received + received }
    this.#show({ lines, latencies, frames })
  }

  /** Pairs answers with their calls. */
  #follow([kind, id, ...fields]: Message, isSent: boolean): Settled | null {
    const type = kind % 16
    if (type === 1) {
      const method = String(fields[1]) || 'a function'
      this.#calls.set(isSent ? Number(id) : -Number(id), { method, at: performance.now() })
    }
    if (type !== 3 && type !== 4) return null
    const key = isSent ? -Number(id) : Number(id)
    const call = this.#calls.get(key)
    this.#calls.delete(key)
    if (call === undefined) return null
    return { method: call.method, ms: isSent ? null : performance.now() - call.at }
  }

  /** Drawn once a frame of the screen: the wire is quicker. */
  #show(view: WireView): void {
    if (this.#next === this.view.get()) requestAnimationFrame(() => this.view.set(this.#next))
    this.#next = view
  }
}

function withLine(lines: readonly WireLine[], said: Said, isSent: boolean, id: number): WireLine[] {
  const like = lines
    .slice(-REPEAT_WITHIN)
    .findLast((line) => line.key === said.key && line.isSent === isSent)
  if (like === undefined) return [...lines, { ...said, id, isSent, count: 1 }].slice(-KEPT_LINES)
  return lines.map((line) => (line === like ? { ...line, ...said, count: line.count + 1 } : line))
}
