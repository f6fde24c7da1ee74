// What running calls hold, by their frames: also where one frame announces the bytes of the next.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeldFrames } from '../../../dist/plugin/session/held-frames.js'

const forever = new Promise<never>(() => undefined)

/** How many calls run before one is refused, where each is made by these frames. */
function callsThatRun(maxBytes: number, frames: readonly number[]): number {
  const held = new HeldFrames(maxBytes)
  for (let calls = 0; calls < 10_000; calls++) {
    try {
      held.assertRoom()
    } catch {
      return calls
    }
    for (const bytes of frames) held.read(bytes)
    if (held.isLong) held.hold(forever)
  }
  return Infinity
}

test('short frames are not counted, and as many as calls may run are no more than is let through', () => {
  assert.equal(callsThatRun(1_000_000, [100]), Infinity)
})

test('long frames are counted', () => {
  assert.equal(callsThatRun(1_000_000, [100, 100_000]), 10)
})

test('few bytes with a long announcement are counted, and both of them', () => {
  assert.equal(callsThatRun(1_000_000, [3000, 1000]), Infinity)
  assert.equal(callsThatRun(1_000_000, [3000, 2000]), 200)
})

test('a call that has ended lets go of its frame', async () => {
  const held = new HeldFrames(10_000)
  held.read(10_000)
  held.hold(Promise.resolve())
  assert.throws(() => {
    held.assertRoom()
  }, /limits.maxQueuedBytes/)
  await Promise.resolve()
  held.assertRoom()
})
