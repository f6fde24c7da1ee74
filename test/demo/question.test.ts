// The question to everybody, with pages that are brokers in memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Broker, type Local, transportPair } from 'fastify-perspective/broker'
import type { ClubAvatar } from '../../demo/avatar.js'
import { askEverybody } from '../../demo/club/question.js'
import type { Answer, ClubMind } from '../../demo/contract.js'

let lastPage = 0

/** An avatar as far as a question needs it, and its page. */
function openPage(username: string, ask: Local<ClubMind>['ask']) {
  const [near, far] = transportPair()
  const mind: Local<ClubMind> = { ask, pointed: () => undefined, cleared: () => undefined }
  const page = new Broker(near, { root: mind })
  const server = new Broker<ClubMind>(far)
  const avatar = { page: ++lastPage, user: { username }, mind: server.root }
  return { avatar: avatar as unknown as ClubAvatar, leave: () => page.close() }
}

const never = () => new Promise<boolean>(() => undefined)

async function collect(ballots: AsyncIterable<{ username: string; answer: Answer }>) {
  const answers: [string, Answer][] = []
  for await (const { username, answer } of ballots) answers.push([username, answer])
  return answers
}

test('the answers come in the order in which they are given', async () => {
  let answerAda: (answer: boolean) => void = () => undefined
  const ada = openPage('ada', () => new Promise<boolean>((resolve) => (answerAda = resolve)))
  const grace = openPage('grace', () => {
    setTimeout(() => answerAda(false))
    return true
  })
  const poll = askEverybody(
    [ada.avatar, grace.avatar],
    { from: 'ada', text: 'Well?' },
    new AbortController().signal,
  )
  assert.deepEqual(
    poll.asked.map(({ username }) => username),
    ['ada', 'grace'],
  )
  assert.deepEqual(await collect(poll.ballots), [
    ['grace', 'yes'],
    ['ada', 'no'],
  ])
})

test('a page that goes away has left; one that fails, or answers nonsense, has no answer', async () => {
  const grace = openPage('grace', never)
  const linus = openPage('linus', () => {
    throw new Error('the page has a bug')
  })
  const mallory = openPage('mallory', () => 'yes' as never)
  const pages = [grace, linus, mallory].map(({ avatar }) => avatar)
  const { signal } = new AbortController()
  const { ballots } = askEverybody(pages, { from: 'ada', text: 'Well?' }, signal)
  setTimeout(() => grace.leave(), 20)
  assert.deepEqual(
    new Map(await collect(ballots)),
    new Map<string, Answer>([
      ['linus', 'none'],
      ['mallory', 'none'],
      ['grace', 'left'],
    ]),
  )
})

test('a question ends at its deadline where a page is silent', async () => {
  const pages = [openPage('ada', () => true).avatar, openPage('grace', never).avatar]
  const { signal } = new AbortController()
  const { ballots } = askEverybody(pages, { from: 'ada', text: 'Well?' }, signal, 50)
  assert.deepEqual(await collect(ballots), [
    ['ada', 'yes'],
    ['grace', 'none'],
  ])
})

test('a question that is taken back waits for nobody, not even a page that never answers', async () => {
  const told: AbortSignal[] = []
  const grace = openPage('grace', (_question, signal) => {
    told.push(signal)
    return never()
  })
  const takingBack = new AbortController()
  const poll = askEverybody([grace.avatar], { from: 'ada', text: 'Well?' }, takingBack.signal)
  setTimeout(() => takingBack.abort(), 20)
  assert.deepEqual(await collect(poll.ballots), [['grace', 'none']])
  await new Promise((resolve) => setTimeout(resolve))
  assert.equal(told[0]?.aborted, true)
})
