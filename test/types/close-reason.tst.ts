import type { CloseReason } from 'fastify-perspective/broker'
import { expect, test } from 'tstyche'

test('a close reason says who closed, and cannot be changed', () => {
  expect<CloseReason>().type.toBe<{
    readonly code: number
    readonly reason: string
    readonly byPeer: boolean
  }>()
  expect<CloseReason>().type.not.toBe<any>()
})
