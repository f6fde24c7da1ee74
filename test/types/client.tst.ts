import { describe, expect, test } from 'tstyche'
import type { CloseReason, Local, Remote, Session, SessionState } from 'fastify-perspective/client'
import { connect, login } from 'fastify-perspective/client'
import { WebSocket as WsWebSocket } from 'ws'

interface Chat {
  say(text: string): { at: Date }
}
interface ChatMind {
  welcome(name: string): void
  ask(question: string): boolean
}
const credentials = { username: 'ada', password: 'x' }
declare const mind: Local<ChatMind>

describe('login', () => {
  test('answers a session of the contract', () => {
    expect(login<Chat>('/perspective', credentials)).type.toBe<Promise<Session<Chat>>>()
    expect(login<Chat, ChatMind>('/perspective', credentials, { mind })).type.toBe<
      Promise<Session<Chat>>
    >()
    expect<Session<Chat>['perspective']>().type.toBe<Remote<Chat>>()
  })

  test('infers the parameters of a literal mind', () => {
    void login<Chat, ChatMind>('/perspective', credentials, {
      mind: {
        welcome(name) {
          expect(name).type.toBe<string>()
        },
        ask: async (question) => {
          expect(question).type.toBe<string>()
          return Promise.resolve(true)
        },
      },
    })
  })

  test('asks for the mind exactly where the contract has one', () => {
    expect(login<Chat, ChatMind>).type.not.toBeCallableWith('/perspective', credentials)
    expect(login<Chat, ChatMind>).type.not.toBeCallableWith('/perspective', credentials, {})
    expect(login<Chat, ChatMind>).type.not.toBeCallableWith('/perspective', credentials, {
      mind: { welcome() {} },
    })
    expect(login<Chat, ChatMind>).type.not.toBeCallableWith('/perspective', credentials, {
      mind: { welcome() {}, ask: () => 'yes' },
    })
    expect(login<Chat>).type.not.toBeCallableWith('/perspective', credentials, { mind })
    expect(login<Chat, ChatMind | undefined>).type.toBeCallableWith('/perspective', credentials)
    expect(login<Chat, ChatMind | undefined>).type.toBeCallableWith('/perspective', credentials, {
      mind,
    })
  })

  test('takes credentials, or a function that is asked for them (O17)', () => {
    expect(login<Chat>).type.toBeCallableWith('/perspective', () => credentials)
    expect(login<Chat>).type.toBeCallableWith('/perspective', async () =>
      Promise.resolve(credentials),
    )
    expect(login<Chat>).type.not.toBeCallableWith('/perspective', { username: 'ada' })
    expect(login<Chat>).type.not.toBeCallableWith('/perspective', { ...credentials, username: 5 })
  })

  test('takes any WHATWG-like WebSocket class', () => {
    expect(login<Chat>).type.toBeCallableWith('http://localhost/perspective', credentials, {
      WebSocket: WsWebSocket,
    })
    expect(connect<Chat>).type.toBeCallableWith('/perspective', 'jwt', { WebSocket: WsWebSocket })
    expect(connect<Chat>).type.toBeCallableWith('/perspective', async () => Promise.resolve('jwt'))
  })
})

describe('a session', () => {
  test('has states that a switch over the name tells apart', () => {
    expect<SessionState['name']>().type.toBe<'open' | 'waiting' | 'connecting' | 'ended'>()
    expect<Extract<SessionState, { name: 'waiting' }>>().type.toBe<{
      readonly name: 'waiting'
      readonly attempt: number
      readonly until: Date
      readonly reason: CloseReason
    }>()
    expect<Session<Chat>['ended']>().type.toBe<Promise<CloseReason>>()
  })

  test('takes how long it waits, or false; and a cookie', () => {
    expect(login<Chat>).type.toBeCallableWith('/perspective', { type: 'session' })
    for (const reconnect of [false, {}, { minDelayMs: 1 }, { maxDelayMs: 1 }] as const) {
      expect(login<Chat>).type.toBeCallableWith('/perspective', credentials, { reconnect })
    }
    expect(login<Chat>).type.not.toBeCallableWith('/perspective', credentials, { reconnect: true })
    expect(login<Chat>).type.not.toBeCallableWith('/perspective', credentials, {
      reconnect: { tries: 5 },
    })
  })
})
