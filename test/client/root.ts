// What every session of the test's server offers its page.
import {
  type Remote,
  Referenceable,
  type RemoteMethods,
  unchecked,
} from 'fastify-perspective/broker'

export interface Thing extends Referenceable {
  name(): string
}

export interface Contract {
  echo(value: unknown): unknown
  hang(): void
  thing(): Thing
  /** Answers the root itself. */
  self(): unknown
  /** Whether a value is the root, or holds it under `root`. */
  isSelf(value: unknown): boolean
  /** The number of this avatar among all. */
  number(): number
  note(text: string): void
  count(to: number): AsyncIterable<number>
  /** Calls a method of the page's mind. */
  ask(question: string): unknown
}

class ThingObject extends Referenceable {
  static readonly remote = { name: true } as const
  name(): string {
    return 'a thing'
  }
}

let made = 0

export class Root extends Referenceable {
  static readonly remote: RemoteMethods<Contract> = {
    echo: unchecked,
    hang: true,
    thing: true,
    self: true,
    isSelf: unchecked,
    number: true,
    note: unchecked,
    count: unchecked,
    ask: unchecked,
  }
  readonly own = ++made
  readonly notes: string[] = []
  mind: unknown = null

  echo(value: unknown): unknown {
    return value
  }
  hang(): Promise<void> {
    return new Promise(() => undefined)
  }
  thing(): ThingObject {
    return new ThingObject()
  }
  self(): this {
    return this
  }
  isSelf(value: unknown): boolean {
    return value === this || (value as { root?: unknown } | null)?.root === this
  }
  number(): number {
    return this.own
  }
  note(text: string): void {
    this.notes.push(text)
  }
  async *count(to: number): AsyncGenerator<number> {
    for (let n = 1; n <= to; n++) yield await Promise.resolve(n)
    await new Promise(() => undefined)
  }
  ask(question: string): unknown {
    return (this.mind as Remote<{ ask(question: string): unknown }>).ask(question)
  }
}
