// An object whose methods answer others of its kind, for calls on results.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Broker,
  type ByReference,
  Referenceable,
  RemoteError,
  type RemoteMethods,
  localPair,
  release,
  unchecked,
} from 'fastify-perspective/broker'
import { Heard, settled } from './both-ends.js'

export interface Link extends ByReference {
  next(): Link
  nextLater(): Promise<Link>
  depth(): number
  add(other: Link): number
  id(): string
  tick(): string
  frame(): string
  pin(): string
  fail(): Link
  nothing(): null
  data(): { depth: number }
  unsendable(): unknown
  take(...values: unknown[]): number
}
export class Chain extends Referenceable {
  static readonly remote: RemoteMethods<Link> = {
    next: true,
    nextLater: true,
    depth: true,
    add: unchecked,
    id: true,
    tick: true,
    frame: true,
    pin: true,
    fail: true,
    nothing: true,
    data: true,
    unsendable: true,
    take: unchecked,
  }
  static taken: unknown[] = []
  readonly #depth: number
  constructor(depth = 0) {
    super()
    this.#depth = depth
  }
  next(): Chain {
    return new Chain(this.#depth + 1)
  }
  async nextLater(): Promise<Chain> {
    await sleep(2)
    return this.next()
  }
  depth(): number {
    return this.#depth
  }
  add(other: unknown): number {
    return this.#depth + (other as Chain).depth()
  }
  id(): string {
    return 'id'
  }
  tick(): string {
    return 'tick'
  }
  frame(): string {
    return 'frame'
  }
  pin(): string {
    return 'pin'
  }
  fail(): Chain {
    throw new RemoteError('BROKEN', 'broken', this.#depth)
  }
  nothing(): null {
    return null
  }
  data(): { depth: number } {
    return { depth: this.#depth }
  }
  unsendable(): unknown {
    return new (class Secret {})()
  }
  take(...values: unknown[]): number {
    return Chain.taken.push(...values)
  }
}

export function pair(heard = new Heard()): [Broker<Link>, Broker] {
  return localPair<object, Link>({}, { root: new Chain(), onCallError: heard.listen })
}

/** Gives back whatever references a test has received. */
export async function finish(
  left: Broker,
  right: Broker,
  ...promises: Promise<unknown>[]
): Promise<void> {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === 'fulfilled') release(result.value as never)
  }
  await settled(left, right)
}
