import { describe, expect, test } from 'tstyche'
import type {
  Local,
  LocalOnly,
  Received,
  Referenceable,
  Remote,
  RemoteFunction,
  RemoteMethods,
  RemotePromise,
  TypeProblem,
} from 'fastify-perspective/broker'
import { reference, tell, unchecked } from 'fastify-perspective/broker'
import { z } from 'zod'

interface Cursor extends Referenceable {
  next(): { id: number; text: string } | null
}
interface Board extends Referenceable {
  readonly title: string
  rename(title: string): void
  cursor(): Cursor
  self(): this
}
interface Message {
  readonly at: Date
  readonly text: string
  readonly tags: readonly string[]
}
interface Chat {
  say(text: string): { at: Date }
  wipe(): void
  board(id: number): Board
  boards(): Map<string, Board>
  history(limit?: number): readonly Message[]
  adopt(board: Board): boolean
  watch(listener: (message: Message) => void): () => void
  sort(order: (a: number, b: number) => number): Promise<number[]>
  all(...ids: number[]): Board[]
  attached(): void
  then(): void
  _private(): void
  generic<T>(value: T): T
  anything(value: unknown): unknown
}
interface Hidden extends LocalOnly<'attached'> {
  attached(): void
  say(): void
}
declare const chat: Remote<Chat>
declare const hidden: Remote<Hidden>
declare const board: Remote<Board>

describe('Remote<T>', () => {
  test('gives every method its own signature, as a promise', () => {
    expect(chat.say('x')).type.toBe<RemotePromise<{ at: Date }>>()
    expect<Awaited<ReturnType<typeof chat.say>>>().type.toBe<{ at: Date }>()
    expect<Awaited<ReturnType<typeof chat.history>>>().type.toBe<readonly Message[]>()
    expect(chat.history()).type.toBeAssignableTo<Promise<readonly Message[]>>()
    expect(chat.say).type.not.toBeCallableWith(1)
    expect(chat.say).type.not.toBeCallableWith()
    expect(chat.say).type.not.toBeCallableWith('a', 'b')
    expect(chat.history).type.toBeCallableWith(5)
  })

  test('turns references round, wherever they are in a result', () => {
    expect<Awaited<ReturnType<typeof chat.board>>>().type.toBe<Remote<Board>>()
    expect<Awaited<ReturnType<typeof chat.boards>>>().type.toBe<Map<string, Remote<Board>>>()
    expect<Awaited<ReturnType<typeof chat.all>>>().type.toBe<Remote<Board>[]>()
  })

  test('turns callbacks round, and infers their parameters', () => {
    chat.watch((message) => {
      expect(message).type.toBe<Message>()
    })
    void chat.sort((a, b) => a - b)
    void chat.sort(async (a, b) => Promise.resolve(a - b))
    expect(chat.sort).type.not.toBeCallableWith(() => 'no')
    expect<Awaited<ReturnType<typeof chat.watch>>>().type.toBe<RemoteFunction<() => void>>()
  })

  test('takes an object of ours, its handle, or a promise of it', () => {
    expect(chat.adopt).type.toBeCallableWith(board)
    expect(chat.adopt).type.toBeCallableWith(chat.board(1))
    expect(chat.adopt).type.not.toBeCallableWith({ rename() {} })
  })

  test('lets calls be made on a promise of one reference', () => {
    expect(chat.board(1).cursor().next()).type.toBe<
      RemotePromise<{ id: number; text: string } | null>
    >()
    expect(chat.say('x')).type.not.toHaveProperty('at')
  })

  test('has no field, no reserved and no local-only name', () => {
    expect(board).type.not.toHaveProperty('title')
    expect(chat).type.not.toHaveProperty('then')
    expect(chat).type.not.toHaveProperty('_private')
    expect(hidden).type.not.toHaveProperty('attached')
    expect(hidden).type.toHaveProperty('say')
    expect(chat).type.not.toHaveProperty('sya')
  })

  test('leaks no any', () => {
    expect<Awaited<ReturnType<typeof chat.anything>>>().type.toBe<unknown>()
    expect<Received<any>>().type.toBe<unknown>()
    expect<Awaited<ReturnType<typeof chat.generic>>>().type.toBe<unknown>()
  })

  test('refuses an overloaded method by name', () => {
    interface Overloaded {
      get(id: number): string
      get(id: string): number
    }
    expect<Remote<Overloaded>['get']>().type.toBe<
      TypeProblem<'an overloaded method has one remote name: use a union, or two names'>
    >()
  })

  test('survives recursive types', () => {
    type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
    interface Node {
      children: Node[]
    }
    interface Store {
      get(): Json
      tree(): Node
    }
    expect<Awaited<ReturnType<Remote<Store>['tree']>>>().type.toBe<Node>()
    expect<Awaited<ReturnType<Remote<Store>['get']>>>().type.toBe<Json>()
  })
})

describe('RemoteMethods<T>', () => {
  interface Api {
    say(text: string): void
    wipe(): void
    all(first: string, ...ids: number[]): void
  }
  const text = z.string()

  test('takes all of the contract and nothing else', () => {
    expect<RemoteMethods<Api>>().type.toBeAssignableFrom({
      say: [text],
      wipe: true,
      all: { args: [text], rest: z.number() },
    } as const)
    expect<RemoteMethods<Api>>().type.toBeAssignableFrom({
      say: unchecked as typeof unchecked,
      wipe: { requires: 'chat.wipe' },
      all: unchecked as typeof unchecked,
    })
    expect<RemoteMethods<Api>>().type.not.toBeAssignableFrom({ say: [text], wipe: true } as const)
    expect<RemoteMethods<Pick<Api, 'say'>>>().type.not.toBeAssignableFrom({ say: true } as const)
    expect<RemoteMethods<Pick<Api, 'say'>>>().type.not.toBeAssignableFrom({ say: text })
    expect<RemoteMethods<Pick<Api, 'say'>>>().type.not.toBeAssignableFrom({
      say: [z.number()],
    } as const)
    expect<RemoteMethods<Pick<Api, 'say'>>>().type.not.toBeAssignableFrom({
      say: [text.transform(Number)],
    } as const)
    expect<RemoteMethods<Pick<Api, 'say'>>>().type.not.toBeAssignableFrom({
      say: [text, text],
    } as const)
  })
})

describe('Local<T>', () => {
  test('is implemented sync or async, with what arrives as arguments', () => {
    interface Api {
      ask(question: string): boolean
      take(board: Board, done: (ok: boolean) => void): void
    }
    expect<Local<Api>>().type.toBeAssignableFrom({
      ask: async (question: string) => Promise.resolve(question !== ''),
      take: (_board: Remote<Board>, done: RemoteFunction<(ok: boolean) => void>) => {
        void done(true)
      },
    })
    expect<Local<Pick<Api, 'ask'>>>().type.not.toBeAssignableFrom({ ask: () => 'yes' })
    expect(
      reference<Pick<Api, 'ask'>>({ ask: (question) => question !== '' }),
    ).type.toBeAssignableTo<Referenceable>()
  })
})

describe('tell', () => {
  test('answers nothing', () => {
    expect(tell(chat).say('x')).type.toBe<void>()
    expect(tell(chat).say).type.not.toBeCallableWith(1)
    expect(tell(chat)).type.not.toHaveProperty('sya')
  })

  test('takes a callback', () => {
    const callback = null as unknown as RemoteFunction<(n: number) => void>
    expect(tell(callback)(1)).type.toBe<void>()
    expect(tell(callback)).type.not.toBeCallableWith('1')
  })
})
