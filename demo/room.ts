/** The one room of the demo: who is here, what was said, what was asked. It lives in memory. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Avatar, ConnectionLostError, DeadReferenceError, tell } from 'fastify-perspective'
import type { Answer, Ballot, ChatMind, Line, Person, Question } from './contract.js'

const KEPT_LINES = 200
const KEPT_QUESTIONS = 20

/** What the room needs of an avatar. */
export type Member = Pick<Avatar<ChatMind>, 'mind' | 'user'>

export class Room {
  readonly #answerSeconds: number
  readonly #members = new Set<Member>()
  #lines: readonly Line[] = []
  #questions: readonly Question[] = []
  #lastId = 0

  constructor({ answerSeconds = 30 }: { readonly answerSeconds?: number } = {}) {
    this.#answerSeconds = answerSeconds
  }

  enter(member: Member): void {
    this.#members.add(member)
    const people = this.#people()
    tell(member.mind).welcome({ people, lines: this.#lines, questions: this.#questions })
    for (const { mind } of this.#members) tell(mind).present(people)
  }

  leave(member: Member): void {
    if (!this.#members.delete(member)) return
    for (const { mind } of this.#members) tell(mind).present(this.#people())
  }

  say(from: string, text: string): void {
    const line: Line = { id: ++this.#lastId, from, text, at: new Date() }
    this.#lines = [...this.#lines, line].slice(-KEPT_LINES)
    for (const { mind } of this.#members) tell(mind).heard(line)
  }

  clear(by: string): void {
    this.#lines = []
    for (const { mind } of this.#members) tell(mind).cleared(by)
  }

  /** Calls `ask` on every page and awaits the answers; each is shown to all as soon as it is there. */
  async askEverybody(from: string, text: string): Promise<void> {
    const asked = [...this.#members].map((member, page) => ({
      member,
      ballot: { page, username: member.user.username, answer: 'waiting' as const },
    }))
    const question: Question = {
      id: ++this.#lastId,
      from,
      text,
      seconds: this.#answerSeconds,
      ballots: asked.map(({ ballot }) => ballot),
    }
    this.#questions = [...this.#questions, question].slice(-KEPT_QUESTIONS)
    for (const { mind } of this.#members) tell(mind).asked(question)

    const timeUp = new AbortController()
    const deadline = delay(this.#answerSeconds * 1000, 'none' as const, { signal: timeUp.signal })
    deadline.catch(() => undefined) // aborted: everybody was quicker
    await Promise.all(
      asked.map(async ({ member, ballot }) => {
        const answer = await Promise.race([askPage(member, question), deadline])
        this.#record(question.id, { ...ballot, answer })
      }),
    )
    timeUp.abort()
  }

  #record(questionId: number, ballot: Ballot): void {
    this.#questions = this.#questions.map((question) =>
      question.id === questionId
        ? { ...question, ballots: question.ballots.with(ballot.page, ballot) }
        : question,
    )
    for (const { mind } of this.#members) tell(mind).answered(questionId, ballot)
  }

  #people(): readonly Person[] {
    const people = new Map<string, Person>()
    for (const { user } of this.#members) {
      const pages = (people.get(user.id)?.pages ?? 0) + 1
      people.set(user.id, { id: user.id, username: user.username, pages })
    }
    return [...people.values()]
  }
}

async function askPage({ mind }: Member, question: Question): Promise<Answer> {
  try {
    const answer = await mind.ask(question)
    // The page's answer is the one thing here that comes from outside and has no schema.
    return answer === true ? 'yes' : answer === false ? 'no' : 'none'
  } catch (error) {
    const isGone = error instanceof ConnectionLostError || error instanceof DeadReferenceError
    return isGone ? 'left' : 'none'
  }
}
