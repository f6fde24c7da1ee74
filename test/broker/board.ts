// A class with a table of every kind, and much that is not in it.
import { Referenceable, unchecked } from 'fastify-perspective/broker'
import { z } from 'zod'

class Base extends Referenceable {
  inherited(): string {
    return 'no'
  }
}
export class Board extends Base {
  static readonly remote = {
    listed: true,
    move: [z.object({ x: z.number() }), z.string().optional()],
    sum: { args: [z.string()], rest: z.number() },
    free: unchecked,
    freeToo: { args: unchecked, requires: 'free' },
    guarded: { requires: ['see', 'touch'] },
  } as const
  field = () => 'no'
  value = 'no'
  ran = 0
  readonly seen: unknown[][] = []
  get getter(): () => string {
    this.ran += 1
    return () => 'no'
  }
  listed(): string {
    return 'yes'
  }
  move(...args: unknown[]): void {
    this.seen.push(args)
  }
  sum(...args: unknown[]): void {
    this.seen.push(args)
  }
  free(...args: unknown[]): number {
    return args.length
  }
  freeToo(...args: unknown[]): number {
    return args.length
  }
  guarded(): string {
    return 'guarded'
  }
  unlisted(): string {
    return 'no'
  }
  private hidden(): string {
    return 'no'
  }
  use(): string {
    return this.hidden()
  }
}
