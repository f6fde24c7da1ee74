// The room of the demo, with pages that are brokers in memory.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Broker, type Local, transportPair } from 'fastify-perspective/broker'
import type { Answer, ChatMind, Line } from '../../demo/contract.js'
import { type Member, Room } from '../../demo/room.js'

interface Page {
  readonly member: Member
  readonly heard: Line[]
  /** Who answered what, in the order in which this page heard of it. */
  readonly answers: [username: string, answer: Answer][]
  leave(): void
}

function openPage(username: string, ask: Local<ChatMind>['ask']): Page {
  const [near, far] = transportPair()
  const heard: Line[] = []
  const answers: [string, Answer][] = []
  const ignore = () => undefined
  const mind: Local<ChatMind> = {
    ask,
    heard: (line) => void heard.push(line),
    answered: (_id, ballot) => void answers.push([ballot.username, ballot.answer]),
    welcome: ({ lines }) => void heard.push(...lines),
    ...{ permitted: ignore, present: ignore, cleared: ignore, asked: ignore },
  }
  const page = new Broker(near, { root: mind })
  const server = new Broker<ChatMind>(far)
  const user = { id: username, username } as Member['user']
  return { member: { mind: server.root, user }, heard, answers, leave: () => page.close() }
}

const never = () => new Promise<boolean>(() => undefined)

describe('the room of the demo', () => {
  test('a question ends when every page has answered, and all hear each answer', async () => {
    const room = new Room()
    const pages = [openPage('ada', () => true), openPage('grace', async () => false)]
    for (const { member } of pages) room.enter(member)
    await room.askEverybody('ada', 'Well?')
    await settled()
    for (const { answers } of pages) {
      assert.deepEqual(answers, [
        ['ada', 'yes'],
        ['grace', 'no'],
      ])
    }
  })

  test('a question ends at its deadline where a page is silent', async () => {
    const room = new Room({ answerSeconds: 0.05 })
    const pages = [openPage('ada', () => true), openPage('grace', never)]
    for (const { member } of pages) room.enter(member)
    await room.askEverybody('ada', 'Well?')
    await settled()
    assert.deepEqual(pages[0]!.answers, [
      ['ada', 'yes'],
      ['grace', 'none'],
    ])
  })

  test('a page that goes away in the middle of a question has left; one that fails has no answer', async () => {
    const room = new Room()
    const grace = openPage('grace', never)
    const linus = openPage('linus', () => {
      throw new Error('the page has a bug')
    })
    const ada = openPage('ada', () => true)
    for (const { member } of [ada, grace, linus]) room.enter(member)
    const asked = room.askEverybody('ada', 'Well?')
    await settled()
    grace.leave()
    await asked
    await settled()
    assert.deepEqual(
      new Map(ada.answers),
      new Map([
        ['ada', 'yes'],
        ['linus', 'none'],
        ['grace', 'left'],
      ] as const),
    )
  })

  test('who comes later hears what was said, the last 200 lines of it', async () => {
    const room = new Room()
    for (let index = 1; index <= 201; index++) room.say('ada', `line ${index}`)
    const grace = openPage('grace', () => true)
    room.enter(grace.member)
    await settled()
    assert.equal(grace.heard.length, 200)
    assert.equal(grace.heard[0]?.text, 'line 2')
    assert.ok(grace.heard[0].at instanceof Date)
  })
})

/** What is on its way between brokers in memory arrives within a turn of the event loop. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
}
