/** A question to everybody: the server calls `ask` of every page's mind and hands on the answers as they come. */
import { ConnectionLostError, DeadReferenceError, withOptions } from 'fastify-perspective'
import type { ClubAvatar } from '../avatar.js'
import type { Answer, Ballot, Poll, Question } from '../contract.js'

const ANSWER_MS = 30_000

export function askEverybody(
  avatars: Iterable<ClubAvatar>,
  question: Question,
  takenBack: AbortSignal,
  answerMs: number = ANSWER_MS,
): Poll {
  // Aborts at the pages, too: their dialogs close. Not AbortSignal.any() with a timeout, which Node 20 collects.
  const over = new AbortController()
  const end = () => {
    over.abort()
  }
  const timer = setTimeout(end, answerMs)
  takenBack.addEventListener('abort', end)
  const { signal } = over
  const waiting = new Map<number, Promise<Ballot>>()
  const asked = [...avatars].map((avatar) => {
    const { page, user } = avatar
    const ballot = { page, username: user.username }
    const answer = askPage(avatar, question, signal)
    waiting.set(
      page,
      answer.then((answer) => ({ ...ballot, answer })),
    )
    return ballot
  })
  void Promise.all(waiting.values()).then(() => clearTimeout(timer))
  return { asked, ballots: inOrderOfArrival(waiting) }
}

async function* inOrderOfArrival(waiting: Map<number, Promise<Ballot>>): AsyncGenerator<Ballot> {
  while (waiting.size > 0) {
    const ballot = await Promise.race(waiting.values())
    waiting.delete(ballot.page)
    yield ballot
  }
}

async function askPage(
  { mind }: ClubAvatar,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    // Even a page that never answers holds nobody up: the call is given up with the signal.
    const answer: unknown = await withOptions(mind, { signal }).ask(question, signal)
    // The page's answer comes from outside and has no schema.
    return answer === true ? 'yes' : answer === false ? 'no' : 'none'
  } catch (error) {
    const isGone = error instanceof ConnectionLostError || error instanceof DeadReferenceError
    return isGone ? 'left' : 'none'
  }
}
