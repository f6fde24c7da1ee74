// What the tests of calls share: two brokers on one connection, a peer that is a script, and the check that nothing is left.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type Broker,
  type CloseReason,
  type FailedCall,
  type Transport,
} from 'fastify-perspective/broker'

export const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const NOTHING = { exported: 0, imported: 0, pending: 0, running: 0, streams: 0, signals: 0 }

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Waits until both brokers hold nothing any more, and fails where one still does. A handle in the middle of a way is nobody's to release. */
export async function settled(...brokers: Broker[]): Promise<void> {
  for (let turn = 0; turn < 50; turn++) {
    await tick()
    if (turn > 0) collectGarbage()
    if (brokers.every(({ stats }) => Object.values(stats).every((count) => count === 0))) return
  }
  for (const { stats } of brokers) assert.deepEqual(stats, NOTHING)
}

/** What `onCallError` heard. */
export class Heard {
  readonly errors: unknown[] = []
  readonly calls: FailedCall[] = []
  readonly listen = (error: unknown, call: FailedCall): void => {
    this.errors.push(error)
    this.calls.push(call)
  }
}

/** A method of whatever the types do not offer; what a peer in JavaScript could call. */
export function raw(target: object, method: string): (...args: unknown[]) => Promise<unknown> {
  return (target as Record<string, (...args: unknown[]) => Promise<unknown>>)[method]!
}

/** Matches an error by its code, and by its message where one is given. */
export function code(expected: string, message?: RegExp): (error: unknown) => true {
  return (error) => {
    assert.equal((error as { code?: unknown }).code, expected)
    if (message !== undefined) assert.match((error as Error).message, message)
    return true
  }
}

/** One end of a connection whose frames wait until {@link Wire.deliver}, or take a time. */
class End implements Transport {
  other!: End
  readonly sent: (string | Uint8Array)[] = []
  readonly #delayMs: number
  #onFrame: (frame: string | Uint8Array) => void = () => undefined
  #onClose: (reason: CloseReason) => void = () => undefined

  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  send(frame: string | Uint8Array): void {
    this.sent.push(frame)
    if (this.#delayMs > 0) setTimeout(() => this.other.#onFrame(frame), this.#delayMs)
    else this.other.waiting.push(frame)
  }
  readonly waiting: (string | Uint8Array)[] = []
  deliver(): void {
    for (const frame of this.waiting.splice(0)) this.#onFrame(frame)
  }
  close(closeCode: number, reason: string): void {
    this.other.#onClose({ code: closeCode, reason, byPeer: true })
  }
  onFrame(listener: (frame: string | Uint8Array) => void): void {
    this.#onFrame = listener
  }
  onClose(listener: (reason: CloseReason) => void): void {
    this.#onClose = listener
  }
}

/** A connection whose frames take `delayMs`; with 0 they wait at the receiver until it is told to `deliver()`. */
export function slowPair(delayMs: number): [End, End] {
  const left = new End(delayMs)
  const right = new End(delayMs)
  left.other = right
  right.other = left
  return [left, right]
}

/** A peer that is a script: it says frames, and keeps the messages that come back. */
export class Script implements Transport {
  readonly sent: (string | Uint8Array)[] = []
  closeCode: number | null = null
  /** Thrown by `send` from now on. */
  failure: Error | null = null
  #onFrame: (frame: string | Uint8Array) => void = () => undefined
  #onClose: (reason: CloseReason) => void = () => undefined

  send(frame: string | Uint8Array): void {
    if (this.failure !== null) throw this.failure
    this.sent.push(frame)
  }
  close(closeCode: number): void {
    this.closeCode = closeCode
  }
  onFrame(listener: (frame: string | Uint8Array) => void): void {
    this.#onFrame = listener
  }
  onClose(listener: (reason: CloseReason) => void): void {
    this.#onClose = listener
  }
  say(...messages: unknown[]): void {
    this.#onFrame(JSON.stringify(messages))
  }
  end(): void {
    this.#onClose({ code: 1000, reason: '', byPeer: true })
  }
  /** The messages since the last look, after everything that was said has left. */
  async heard(): Promise<unknown[][]> {
    await tick()
    return this.sent.splice(0).flatMap((frame) => JSON.parse(frame as string) as unknown[][])
  }
}

/** Runs a script in a process of its own, as a module beside these tests; answers what it printed. */
export function inChild(script: string, ...options: string[]): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...options, '--input-type=module', '--eval', script],
    { encoding: 'utf8', timeout: 60_000 },
  )
  assert.equal(status, 0, `the child ended with ${String(status)}: ${stderr}`)
  return stdout
}
