// What the two processes of the soak say to each other.
import type { Cacheable, Referenceable } from 'fastify-perspective/broker'

export interface Board extends Referenceable {
  add(n: number): number
}

export interface Soaked {
  echo(value: unknown): unknown
  /** An object of its own for each call. */
  board(): Board
  score(): Cacheable<{ list: readonly number[] }>
  each(callback: (n: number) => unknown, times: number): Promise<number>
  numbers(count: number): AsyncIterable<number>
  sum(numbers: AsyncIterable<number>): Promise<number>
  /** Asks the page. */
  ask(n: number): Promise<number>
  fail(): void
  /** Never answers; its signal ends it. */
  wait(signal: AbortSignal): Promise<void>
  /** The server ends the session. */
  kick(): void
}

export interface SoakedMind {
  double(n: number): number
}

/** What the load tells when it has ended. */
export interface LoadReport {
  readonly logins: number
  readonly calls: number
  readonly ends: Readonly<Record<string, number>>
  /** Texts of what should not have happened. */
  readonly faults: readonly string[]
}
