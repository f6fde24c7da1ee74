import {
  Avatar,
  type AvatarSession,
  Cacheable,
  type Local,
  Referenceable,
  type RemoteFunction,
  type RemoteMethods,
  unchecked,
} from 'fastify-perspective'
import type { Board, Soaked, SoakedMind } from './contract.js'

class SoakedBoard extends Referenceable {
  static readonly remote: RemoteMethods<Board> = { add: unchecked }
  #sum = 0
  add(n: number): number {
    return (this.#sum += n)
  }
}

class Score extends Cacheable<{ list: readonly number[] }> {
  /** Whether anybody holds it. */
  isShown = false
  override unobserved(): void {
    this.isShown = false
  }
  grow(): void {
    this.isShown = true
    this.update({ list: [...this.state.list, this.state.list.length].slice(-50) })
  }
}

/** Counts lives: every avatar that was attached has to be detached, once. */
export class Census {
  made = 0
  attached = 0
  detached = 0
  readonly reasons: Record<string, number> = {}
  readonly faults: string[] = []
  collected = 0
  readonly #lives = new Map<string, 'made' | 'attached' | 'detached'>()
  readonly #registry = new FinalizationRegistry(() => (this.collected += 1))

  make(avatar: object, id: string): void {
    this.made += 1
    this.#lives.set(id, 'made')
    this.#registry.register(avatar, null)
  }

  attach(id: string): void {
    if (this.#lives.get(id) !== 'made') this.faults.push(`attached again: ${id}`)
    this.#lives.set(id, 'attached')
    this.attached += 1
  }

  detach(id: string, code: string): void {
    const state = this.#lives.get(id)
    if (state === undefined || state === 'detached') this.faults.push(`detached again: ${id}`)
    if (state === 'attached') this.detached += 1
    this.reasons[code] = (this.reasons[code] ?? 0) + 1
    this.#lives.delete(id)
  }

  /** Avatars that were made and not detached. */
  get alive(): number {
    return this.#lives.size
  }
}

/** A score that outlives every session: whoever holds it must be forgotten with its session. */
export const sharedScore: Score = new Score({ list: [] })

export class SoakedAvatar extends Avatar<SoakedMind> implements Local<Soaked> {
  static readonly remote: RemoteMethods<Soaked> = {
    echo: unchecked,
    board: true,
    score: true,
    each: unchecked,
    numbers: unchecked,
    sum: unchecked,
    ask: unchecked,
    fail: true,
    wait: unchecked,
    kick: true,
  }
  readonly #census: Census

  constructor(session: AvatarSession, census: Census) {
    super(session)
    this.#census = census
    census.make(this, session.id)
  }

  override attached(): void {
    this.#census.attach(this.session.id)
  }
  override detached({ code }: { readonly code: string }): void {
    this.#census.detach(this.session.id, code)
  }
  echo(value: unknown): unknown {
    return value
  }
  board(): SoakedBoard {
    return new SoakedBoard()
  }
  score(): Score {
    sharedScore.grow()
    return sharedScore
  }
  async each(callback: RemoteFunction<(n: number) => unknown>, times: number): Promise<number> {
    for (let n = 0; n < times; n++) await callback(n)
    return times
  }
  async *numbers(count: number): AsyncGenerator<number> {
    for (let n = 0; n < count; n++) yield await Promise.resolve(n)
  }
  async sum(numbers: AsyncIterable<number>): Promise<number> {
    let sum = 0
    for await (const n of numbers) sum += n
    return sum
  }
  async ask(n: number): Promise<number> {
    return this.mind.double(n)
  }
  fail(): void {
    throw new Error('as it should')
  }
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(new Error('given up'))
      })
    })
  }
  kick(): void {
    this.session.close('kicked by the soak')
  }
}
