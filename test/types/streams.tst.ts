import { describe, expect, test } from 'tstyche'
import type {
  Local,
  Received,
  Referenceable,
  Remote,
  RemotePromise,
  RemoteStream,
  Sendable,
} from 'fastify-perspective/broker'

interface Board extends Referenceable {
  rename(title: string): void
}
interface Api {
  feed(): AsyncIterable<{ at: Date }>
  lines(): AsyncGenerator<string>
  bytes(): ReadableStream<Uint8Array>
  boards(): AsyncIterable<Board>
  sum(numbers: AsyncIterable<number>): number
  nested(): { items: AsyncIterable<number>; count: number }
}
declare const api: Remote<Api>
declare const own: AsyncGenerator<number>

describe('a stream', () => {
  test('is a RemoteStream at its receiver, whatever it was', () => {
    expect<Awaited<ReturnType<typeof api.feed>>>().type.toBe<RemoteStream<{ at: Date }>>()
    expect<Awaited<ReturnType<typeof api.lines>>>().type.toBe<RemoteStream<string>>()
    expect<Received<AsyncIterable<number>>>().type.toBe<RemoteStream<number>>()
  })

  test('turns references round in its values', () => {
    expect<Awaited<ReturnType<typeof api.boards>>>().type.toBe<RemoteStream<Remote<Board>>>()
  })

  test('is one within a value, too', () => {
    expect<Awaited<ReturnType<typeof api.nested>>>().type.toBe<{
      items: RemoteStream<number>
      count: number
    }>()
  })

  test('is iterated on the promise of the call', () => {
    expect(api.feed()).type.toBeAssignableTo<AsyncIterable<{ at: Date }>>()
    expect(api.boards()).type.toBeAssignableTo<AsyncIterable<Remote<Board>>>()
    expect(api.sum(own)).type.not.toBeAssignableTo<AsyncIterable<unknown>>()
    expect(api.sum(own)).type.toBe<RemotePromise<number>>()
  })

  test('is cancelled, and read by single values', () => {
    const stream = null as unknown as RemoteStream<number>
    expect(stream.cancel()).type.toBe<Promise<void>>()
    expect(stream.next()).type.toBeAssignableTo<Promise<IteratorResult<number>>>()
  })

  test('is any async iterable as an argument, or one that was received', () => {
    expect(api.sum).type.toBeCallableWith(own)
    expect(api.sum).type.toBeCallableWith(null as unknown as RemoteStream<number>)
    expect(api.sum).type.not.toBeCallableWith([1, 2, 3])
    expect(api.sum).type.not.toBeCallableWith(null as unknown as AsyncIterable<string>)
    expect<Sendable<AsyncIterable<number>>>().type.toBe<AsyncIterable<number>>()
  })

  test('is answered by a generator, or a promise of one', () => {
    expect<Local<Pick<Api, 'boards' | 'sum'>>>().type.toBeAssignableFrom({
      async *boards() {
        yield null as unknown as Board
      },
      sum: (numbers: RemoteStream<number>) => (void numbers, 1),
    })
    expect<Local<Pick<Api, 'feed'>>>().type.not.toBeAssignableFrom({
      async *feed() {
        yield 'text'
      },
    })
  })
})
