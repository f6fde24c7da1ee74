/** What this page knows of the room. Its `mind` is what the server calls; React reads the snapshots. */
import type { Local } from 'fastify-perspective/client'
import type { Ballot, ChatMind, Line, Person, Question } from '../../contract.js'

/** A question that this page has not answered yet: the server is waiting. */
export interface Pending {
  readonly question: Question
  readonly until: number
  /** Yes, no, or put aside. */
  readonly answer: (answer: boolean | null) => void
}

export interface RoomView {
  readonly hasEntered: boolean
  readonly mayClear: boolean
  readonly people: readonly Person[]
  readonly lines: readonly Line[]
  readonly questions: readonly Question[]
  readonly pending: readonly Pending[]
  readonly clearedBy: string | null
}

const EMPTY: RoomView = {
  hasEntered: false,
  mayClear: false,
  people: [],
  lines: [],
  questions: [],
  pending: [],
  clearedBy: null,
}

export class RoomStore {
  #view = EMPTY
  readonly #listeners = new Set<() => void>()

  readonly mind: Local<ChatMind> = {
    welcome: ({ people, lines, questions }) => {
      this.#change({ hasEntered: true, people, lines, questions })
    },
    permitted: (mayClear) => {
      this.#change({ mayClear })
    },
    present: (people) => {
      this.#change({ people })
    },
    heard: (line) => {
      this.#change({ lines: [...this.#view.lines, line], clearedBy: null })
    },
    cleared: (clearedBy) => {
      this.#change({ lines: [], clearedBy })
    },
    ask: (question) => this.#putToUser(question),
    asked: (question) => {
      this.#change({ questions: [...this.#view.questions, question] })
    },
    answered: (questionId, ballot) => {
      this.#change({ questions: this.#view.questions.map(withBallot(questionId, ballot)) })
    },
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly snapshot = (): RoomView => this.#view

  /** Resolves with what the user clicks; with null when the server no longer waits. */
  #putToUser(question: Question): Promise<boolean | null> {
    return new Promise((resolve) => {
      const pending: Pending = {
        question,
        until: Date.now() + question.seconds * 1000,
        answer: (answer) => {
          clearTimeout(timer)
          this.#change({ pending: this.#view.pending.filter((other) => other !== pending) })
          resolve(answer)
        },
      }
      const timer = setTimeout(() => {
        pending.answer(null)
      }, question.seconds * 1000)
      this.#change({ pending: [...this.#view.pending, pending] })
    })
  }

  #change(changes: Partial<RoomView>): void {
    this.#view = { ...this.#view, ...changes }
    for (const listener of this.#listeners) listener()
  }
}

function withBallot(questionId: number, ballot: Ballot): (question: Question) => Question {
  return (question) =>
    question.id === questionId
      ? {
          ...question,
          ballots: question.ballots.map((other) => (other.page === ballot.page ? ballot : other)),
        }
      : question
}
