import { useRef, useState } from 'react'
import type { Session } from 'fastify-perspective/client'
import type { Answer, Ballot, Club } from '../../../contract.js'
import type { Attempt } from '../club-page.js'

export interface PollView {
  readonly text: string
  readonly ballots: readonly (Omit<Ballot, 'answer'> & { readonly answer: Answer | 'waiting' })[]
  readonly isOpen: boolean
}

/** Asks everybody, and shows each answer as it comes out of the stream. */
export function usePoll(session: Session<Club>, attempt: Attempt) {
  const [poll, setPoll] = useState<PollView | null>(null)
  const takingBack = useRef(new AbortController())

  async function run(text: string) {
    takingBack.current = new AbortController()
    const { asked, ballots } = await session.perspective.ask(text, takingBack.current.signal)
    setPoll({ text, isOpen: true, ballots: asked.map((one) => ({ ...one, answer: 'waiting' })) })
    try {
      for await (const ballot of ballots) setPoll((poll) => withBallot(poll, ballot))
    } finally {
      setPoll((poll) => poll && { ...poll, isOpen: false })
    }
  }

  return {
    poll,
    ask: (text: string) => void attempt(run(text)),
    takeBack: () => takingBack.current.abort(),
  }
}

function withBallot(poll: PollView | null, ballot: Ballot): PollView | null {
  if (poll === null) return null
  const ballots = poll.ballots.map((other) => (other.page === ballot.page ? ballot : other))
  return { ...poll, ballots }
}
