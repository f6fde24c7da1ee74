import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import {
  Broker,
  Referenceable,
  currentCall,
  transportPair,
  withOptions,
  type AbortSignalLike,
  type RemoteMethods,
} from 'fastify-perspective/broker'
import { until, untilGivenUp, withPair } from './settled.js'

class Bell extends Referenceable {
  static readonly remote: RemoteMethods<Bell> = { ring: true, slow: true }
  ring(): string {
    return 'ding'
  }
  async slow(): Promise<string> {
    return wait(150, 'late')
  }
}
interface Api {
  slow(): string
  quick(): string
  never(): Bell
  bell(): Bell
}

function serving() {
  const signals: AbortSignalLike[] = []
  const root = {
    async slow() {
      signals.push(currentCall().signal)
      await wait(60)
      return new Bell()
    },
    quick: () => 'quick',
    async never() {
      signals.push(currentCall().signal)
      await untilGivenUp(currentCall())
      await wait(30)
      return new Bell()
    },
    bell: () => new Bell(),
  }
  return { root, signals }
}
const TIMEOUT = { name: 'CallError', code: 'PB_ERR_CALL_TIMEOUT' }

describe('a deadline', () => {
  test('of withOptions rejects the call, and the callee hears of it', () => {
    const { root, signals } = serving()
    let finish: (bell: Bell) => void = () => undefined
    const slow = (): Promise<Bell> => {
      signals.push(currentCall().signal)
      return new Promise((resolve) => (finish = resolve))
    }
    const offered = { ...root, slow }
    return withPair<Api>({ root: offered }, {}, async ({ root, server, client, byServer }) => {
      await assert.rejects(withOptions(root, { timeoutMs: 20 }).slow(), TIMEOUT)
      assert.equal(client.stats.pending, 0)
      await until(() => signals[0]!.aborted, 'the signal')
      assert.equal((signals[0]!.reason as Error).name, 'AbortError')
      // It runs on, and counts, until it ends.
      assert.equal(server.stats.running, 1)
      finish(new Bell())
      await until(() => server.stats.running === 0, 'its end')
      // Not answered at all, so that nothing was introduced for it.
      assert.equal(byServer.of(3).length, 0)
      assert.equal(server.stats.exported, 0)
    })
  })

  test('of the broker is in force unless the call has its own; 0 is none', () => {
    const { root } = serving()
    return withPair<Api>({ root }, { callTimeoutMs: 20 }, async ({ root }) => {
      await assert.rejects(root.slow(), TIMEOUT)
      assert.equal(typeof (await withOptions(root, { timeoutMs: 0 }).slow()), 'object')
      assert.equal(typeof (await withOptions(root, { timeoutMs: 5000 }).slow()), 'object')
      await assert.rejects(withOptions(root, {}).slow(), TIMEOUT)
      assert.equal(await root.quick(), 'quick')
    })
  })

  test('that was met leaves no timer', async () => {
    const { root } = serving()
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    await withPair<Api>({ root }, {}, async ({ root, client }) => {
      await withOptions(root, { timeoutMs: 60_000 }).quick()
      const pending = withOptions(root, { timeoutMs: 60_000 }).never()
      await turn()
      client.close()
      await assert.rejects(pending)
      // `never` ends a little after it was given up.
      await wait(60)
      assert.ok(timers() <= before)
    })
  })

  test('holds for calls on the result, too: a chain is one call to who waits', () => {
    const { root } = serving()
    return withPair<Api>({ root }, {}, async ({ root, client }) => {
      const timed = withOptions(root, { timeoutMs: 20 })
      await assert.rejects(timed.never().ring(), TIMEOUT)
      await assert.rejects(timed.bell().slow(), TIMEOUT)
      const bell = timed.bell()
      await bell
      await assert.rejects(bell.slow(), TIMEOUT)
      // The call that waited for the first has a deadline of its own.
      await wait(40)
      assert.equal(client.stats.pending, 0)
    })
  })

  test('holds while a promise in the arguments is waited for', () => {
    const { root } = serving()
    let takes = 0
    let open: (value: string) => void = () => undefined
    const slow = (): Promise<string> => new Promise((resolve) => (open = resolve))
    const offered = { ...root, slow, take: () => ++takes }
    return withPair<Api & { take(value: unknown): number }>(
      { root: offered },
      {},
      async ({ root }) => {
        const slow = root.slow()
        await turn()
        await assert.rejects(withOptions(root, { timeoutMs: 20 }).take(slow), TIMEOUT)
        open('late')
        await slow
        await turn()
        assert.equal(takes, 0)
      },
    )
  })

  test('an answer that crossed the cancellation is dropped, and what is in it comes back', () => {
    let answer: (bell: Bell) => void = () => undefined
    const root = { bell: () => new Promise((resolve) => (answer = resolve)) }
    return withPair<Api>({ root }, {}, async ({ root, server }) => {
      const controller = new AbortController()
      const call = withOptions(root, { signal: controller.signal }).bell()
      await until(() => server.stats.running === 1, 'the call')
      answer(new Bell())
      await Promise.resolve()
      controller.abort('now')
      await assert.rejects(call, (reason) => reason === 'now')
    })
  })

  test('before a promised root is there: the call never begins', () => {
    let publish: (root: object) => void = () => undefined
    const { root, signals } = serving()
    const promised = new Promise<object>((resolve) => (publish = resolve))
    return withPair<Api>({ root: promised }, { callTimeoutMs: 20 }, async ({ root: remote }) => {
      await assert.rejects(remote.slow(), TIMEOUT)
      await turn()
      publish(root)
      await turn()
      assert.equal(signals.length, 0)
      assert.equal(await remote.quick(), 'quick')
    })
  })

  for (const timeoutMs of [-1, NaN, Infinity, 2 ** 31, '5' as unknown as number]) {
    test(`of ${String(timeoutMs)} (${typeof timeoutMs}) is refused`, () =>
      withPair<Api>({}, {}, ({ root }) => {
        assert.throws(() => withOptions(root, { timeoutMs }), TypeError)
        const [end] = transportPair()
        assert.throws(() => new Broker(end, { callTimeoutMs: timeoutMs }), TypeError)
      }))
  }
})

describe('the signal of withOptions', () => {
  test('rejects at once with its reason, and aborts the signal of the callee', () => {
    const { root, signals } = serving()
    return withPair<Api>({ root }, {}, async ({ root }) => {
      const controller = new AbortController()
      const call = withOptions(root, { signal: controller.signal }).never()
      await until(() => signals.length === 1, 'the call')
      controller.abort('enough')
      await assert.rejects(call, (reason) => reason === 'enough')
      await until(() => signals[0]!.aborted, 'the signal of the callee')
    })
  })

  test('that has aborted sends nothing', () =>
    withPair<Api>(serving(), {}, async ({ root, byClient }) => {
      const call = withOptions(root, { signal: AbortSignal.abort('no') }).quick()
      await assert.rejects(call, (reason) => reason === 'no')
      await turn()
      assert.equal(byClient.of(1).length, 0)
    }))

  test('that aborts after the answer does nothing', () =>
    withPair<Api>(serving(), {}, async ({ root, byClient }) => {
      const controller = new AbortController()
      assert.equal(await withOptions(root, { signal: controller.signal }).quick(), 'quick')
      controller.abort()
      await turn()
      assert.equal(byClient.of(6).length, 0)
    }))

  test('that is none is refused', () =>
    withPair<Api>({}, {}, ({ root }) => {
      for (const signal of [5, {}, null, new AbortController()]) {
        assert.throws(() => withOptions(root, { signal: signal as never }), TypeError)
      }
    }))
})

test('options join those that a reference has already', () => {
  const { root } = serving()
  return withPair<Api>({ root }, {}, async ({ root }) => {
    const controller = new AbortController()
    const both = withOptions(withOptions(root, { timeoutMs: 20 }), { signal: controller.signal })
    await assert.rejects(both.never(), TIMEOUT)
    const call = both.never()
    controller.abort('mine')
    await assert.rejects(call, (reason) => reason === 'mine')
    assert.equal(
      typeof (await withOptions(both, { signal: undefined, timeoutMs: 0 }).slow()),
      'object',
    )
  })
})
