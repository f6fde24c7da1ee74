import { describe, expect, test } from 'tstyche'
import type {
  Cacheable,
  Local,
  Mirror,
  Referenceable,
  Remote,
  RemoteStream,
} from 'fastify-perspective/broker'

interface Club extends Referenceable {
  presence(): Cacheable<{ readonly names: readonly string[] }>
  lines(): AsyncIterable<{ line: string }>
  bytes(): ReadableStream<Uint8Array>
  watch(heard: (text: string) => void, signal: AbortSignal): void
  upload(parts: AsyncIterable<string>): number
}
declare const club: Remote<Club>

describe('what lives longer than a call', () => {
  test('a signal is a signal on both sides', () => {
    expect(club.watch).type.toBeCallableWith(() => undefined, new AbortController().signal)
    expect(club.watch).type.not.toBeCallableWith(() => undefined, 5)
    expect<Parameters<Local<Club>['watch']>[1]>().type.toBe<AbortSignal>()
  })

  test('a stream is read as one, with or without awaiting the call', async () => {
    expect<Awaited<ReturnType<typeof club.lines>>>().type.toBe<RemoteStream<{ line: string }>>()
    expect<Awaited<ReturnType<typeof club.bytes>>>().type.toBe<RemoteStream<Uint8Array>>()
    for await (const { line } of club.lines()) expect(line).type.toBe<string>()
    for await (const part of club.bytes()) expect(part).type.toBe<Uint8Array>()
    expect(club.upload).type.toBeCallableWith(
      (async function* () {
        yield await Promise.resolve('a')
      })(),
    )
    expect<Parameters<Local<Club>['upload']>[0]>().type.toBe<RemoteStream<string>>()
  })

  test('a mirrored state is its mirror', () => {
    expect<Awaited<ReturnType<typeof club.presence>>>().type.toBe<
      Mirror<{ readonly names: readonly string[] }>
    >()
  })
})
