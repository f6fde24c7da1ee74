/** This page's own object: what the server calls. It outlives connections. */
import {
  type Local,
  Referenceable,
  type RemoteMethods,
  unchecked,
} from 'fastify-perspective/client'
import type { ClubMind, Pointer, Question } from '../../../contract.js'
import { Store } from '../store.js'

const POINTER_MS = 4000

/** A question that this page has not answered yet: the server is waiting. */
export interface Pending {
  readonly id: number
  readonly question: Question
  readonly answer: (answer: boolean | null) => void
}

export class Mind extends Referenceable implements Local<ClubMind> {
  // This server is trusted; a page of another's server would name schemas, as the avatar does.
  static readonly remote: RemoteMethods<ClubMind> = {
    pointed: unchecked,
    cleared: unchecked,
    ask: unchecked,
  }
  readonly pointers = new Store<readonly Pointer[]>([])
  readonly pending = new Store<readonly Pending[]>([])
  readonly notice = new Store('')
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>()
  #lastId = 0

  pointed(pointer: Pointer) {
    const { page } = pointer
    clearTimeout(this.#timers.get(page))
    this.#timers.set(
      page,
      setTimeout(() => this.pointers.set(this.#without(page)), POINTER_MS),
    )
    this.pointers.set([...this.#without(page), pointer])
  }

  cleared(by: string) {
    this.notice.set(`${by} cleared the board.`)
  }

  /** Resolves with what the user clicks, or with null when nobody waits any more. */
  ask(question: Question, signal: AbortSignal): Promise<boolean | null> {
    return new Promise((resolve) => {
      const answer = (answer: boolean | null) => {
        this.pending.set(this.pending.get().filter((other) => other !== pending))
        resolve(answer)
      }
      const pending: Pending = { id: ++this.#lastId, question, answer }
      this.pending.set([...this.pending.get(), pending])
      signal.addEventListener('abort', () => answer(null))
    })
  }

  #without(page: number): readonly Pointer[] {
    return this.pointers.get().filter((other) => other.page !== page)
  }
}
