import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { currentCall, tell, withOptions, type AbortSignalLike } from 'fastify-perspective/broker'
import {
  assertAlive,
  assertBreach,
  collect,
  until,
  untilGivenUp,
  withHostile,
  withPair,
} from './settled.js'

const [CALL, CANCEL, ABORT, FORGET] = [1, 6, 7, 8]

interface Api {
  work(options: unknown): string
  keep(signal: AbortSignalLike): void
}

/** A server that keeps the signals that it gets and never answers `work`. */
function keeping() {
  const signals: AbortSignal[] = []
  const calls: AbortSignalLike[] = []
  const root = {
    work(options: { signal?: AbortSignal }) {
      if (options.signal !== undefined) signals.push(options.signal)
      calls.push(currentCall().signal)
      return untilGivenUp(currentCall())
    },
    keep: (signal: AbortSignal) => void signals.push(signal),
  }
  return { root, signals, calls }
}

describe('a signal in the arguments', () => {
  test('aborts there with its reason; the caller rejects at once, the call is cancelled', () => {
    const { root, signals, calls } = keeping()
    return withPair<Api>({ root }, {}, async ({ root, byClient, server }) => {
      const controller = new AbortController()
      const work = root.work({ signal: controller.signal })
      await until(() => signals.length === 1, 'the call')
      assert.equal(signals[0]!.aborted, false)
      controller.abort({ why: 'bored', at: new Date(5) })
      assert.deepEqual(await work.catch((reason: unknown) => reason), controller.signal.reason)
      await until(() => calls[0]!.aborted, 'the abort of the call')
      assert.deepEqual(signals[0]!.reason, { why: 'bored', at: new Date(5) })
      assert.equal(byClient.of(CANCEL).length, 1)
      await until(() => server.stats.running === 0, 'the end of the call')
    })
  })

  test('lives on when the call is answered, and aborts later', () => {
    const { root, signals } = keeping()
    return withPair<Api>({ root }, {}, async ({ root, byClient, server }) => {
      const controller = new AbortController()
      await root.keep(controller.signal)
      controller.abort()
      await until(() => signals[0]!.aborted, 'the abort')
      assert.equal((signals[0]!.reason as Error).name, 'AbortError')
      assert.equal(byClient.of(CANCEL).length, 0)
      assert.equal(server.stats.signals, 0)
    })
  })

  test('is one signal in however many calls, and warns of nothing', () => {
    const { root, signals } = keeping()
    const warnings: unknown[] = []
    const onWarning = (warning: unknown): void => void warnings.push(warning)
    process.on('warning', onWarning)
    return withPair<Api>({ root }, {}, async ({ root, server, byClient }) => {
      const controller = new AbortController()
      const calls = Array.from({ length: 100 }, () => root.work({ signal: controller.signal }))
      await until(() => signals.length === 100, 'the calls')
      assert.equal(server.stats.signals, 1)
      assert.equal(new Set(signals).size, 1)
      controller.abort('all')
      assert.deepEqual(
        new Set(
          (await Promise.allSettled(calls)).map(
            (r) => (r as PromiseRejectedResult).reason as unknown,
          ),
        ),
        new Set(['all']),
      )
      await turn()
      assert.equal(byClient.of(ABORT).length, 1)
      process.off('warning', onWarning)
      assert.deepEqual(warnings, [])
    })
  })

  for (const [name, make] of [
    ['with a reason', () => AbortSignal.abort('early')],
    ['with one that cannot cross', () => AbortSignal.abort(Symbol('early'))],
    ['with the reason of the platform', () => AbortSignal.abort()],
  ] as const) {
    test(`that has aborted already sends nothing: ${name}`, () => {
      const { root } = keeping()
      return withPair<Api>({ root }, {}, async ({ root, byClient }) => {
        const signal = make()
        const call = root.work({ deep: [signal], callback: () => undefined })
        assert.equal(await call.catch((reason: unknown) => reason), signal.reason)
        await turn()
        assert.equal(byClient.of(CALL).length, 0)
      })
    })
  }

  test('that has aborted is told and answered all the same', () => {
    const { root, signals } = keeping()
    const offered = {
      ...root,
      signals: () => [AbortSignal.abort(), AbortSignal.abort(Symbol('x')), AbortSignal.abort('y')],
    }
    return withPair<Api & { signals(): unknown }>({ root: offered }, {}, async ({ root }) => {
      const [plain, odd, text] = (await root.signals()) as AbortSignal[]
      assert.equal((plain!.reason as Error).name, 'AbortError')
      assert.equal((odd!.reason as Error).name, 'AbortError')
      assert.equal(text!.reason, 'y')
      tell(root).keep(AbortSignal.abort('told'))
      await until(() => signals.length === 1, 'the call')
      assert.equal(signals[0]!.reason, 'told')
    })
  })

  test('whose reason cannot cross aborts all the same', () => {
    const { root, signals } = keeping()
    return withPair<Api>({ root }, {}, async ({ root }) => {
      const controller = new AbortController()
      await root.keep(controller.signal)
      controller.abort({ bad: Symbol('no') })
      await until(() => signals[0]!.aborted, 'the abort')
    })
  })

  test('of AbortSignal.any and AbortSignal.timeout are signals like others', () => {
    const { root, signals } = keeping()
    return withPair<Api>({ root }, {}, async ({ root }) => {
      const controller = new AbortController()
      await root.keep(AbortSignal.any([controller.signal]))
      await root.keep(AbortSignal.timeout(20))
      for (let i = 0; i < 3; i++) await collect()
      controller.abort('any')
      await until(() => signals[0]!.aborted, 'the abort of any')
      assert.equal(signals[0]!.reason, 'any')
      await wait(60)
      await until(() => signals[1]!.aborted, 'the abort of timeout')
      assert.equal((signals[1]!.reason as Error).name, 'TimeoutError')
    })
  })

  test('that its owner has lost is forgotten', () => {
    const { root, signals } = keeping()
    return withPair<Api>({ root }, {}, async ({ root, byClient, server }) => {
      await (async () => await root.keep(new AbortController().signal))()
      for (let i = 0; server.stats.signals > 0 && i < 40; i++) await collect()
      assert.equal(server.stats.signals, 0)
      assert.equal(byClient.of(FORGET).length, 1)
      assert.equal(signals[0]!.aborted, false)
    })
  })

  test('aborts when the connection ends', () => {
    const { root, signals, calls } = keeping()
    return withPair<Api>({ root }, {}, async ({ root, client }) => {
      const controller = new AbortController()
      const work = root.work({ signal: controller.signal })
      await until(() => signals.length === 1, 'the call')
      client.close(4999, 'bye')
      await assert.rejects(work, { code: 'PB_ERR_CONNECTION_LOST' })
      await until(() => signals[0]!.aborted && calls[0]!.aborted, 'the aborts')
      assert.match(String(signals[0]!.reason), /ConnectionLostError.*4999 bye/)
      controller.abort()
    })
  })

  test('that outlives the connection keeps nothing of it', async () => {
    let listeners = 0
    const target = new AbortController().signal
    const add = target.addEventListener.bind(target) as (...args: unknown[]) => void
    const remove = target.removeEventListener.bind(target) as (...args: unknown[]) => void
    Object.assign(target, {
      addEventListener: (...args: unknown[]) => {
        listeners += 1
        add(...args)
      },
      removeEventListener: (...args: unknown[]) => {
        listeners -= 1
        remove(...args)
      },
    })
    for (let connection = 0; connection < 3; connection++) {
      await withPair<Api>({ root: keeping().root }, {}, async ({ root, client }) => {
        await root.keep(target)
        const call = withOptions(root, { signal: target }).work({})
        client.close()
        await assert.rejects(call)
      })
    }
    assert.equal(listeners, 1)
  })

  test('at maxSignals and one past it', () => {
    const { root, signals } = keeping()
    return withPair<Api>({ root, limits: { maxSignals: 3 } }, {}, async ({ root, server }) => {
      const controllers = Array.from({ length: 4 }, () => new AbortController())
      for (const { signal } of controllers.slice(0, 3)) await root.keep(signal)
      await assert.rejects(root.keep(controllers[3]!.signal), { code: 'PB_ERR_LIMIT_SIGNALS' })
      controllers[0]!.abort()
      await root.keep(controllers[3]!.signal)
      assert.equal(server.stats.signals, 3)
      for (const controller of controllers) controller.abort()
      await until(() => signals.every(({ aborted }) => aborted), 'all aborts')
    })
  })
})

describe('a hostile peer', () => {
  const { root, signals } = keeping()
  for (const [name, message] of [
    ['abort without an id', [ABORT]],
    ['abort of id 0', [ABORT, 0]],
    ['abort with too much', [ABORT, 1, 2, 3]],
    ['forget of a text', [FORGET, '1']],
    ['a signal without an id', [17, 1, 0, 'keep', [['$a']], 0]],
    ['an aborted one without a reason', [17, 1, 0, 'keep', [['$a', 0]], 0]],
    ['a live one with a reason', [17, 1, 0, 'keep', [['$a', 1, 'x']], 0]],
    ['a cancellation of a call to come', [CANCEL, 7]],
    ['a cancellation of no call', [CANCEL, 0]],
  ] as const) {
    test(`${name} is a breach`, () =>
      withHostile({ root }, async ({ broker, say }) => {
        await say(message)
        await assertBreach(broker, /form|tag|cancelled/)
      }))
  }

  test('abort and forget of what is not held are ignored', () =>
    withHostile({ root }, async ({ broker, say }) => {
      await say([ABORT, 5], [FORGET, 5], [ABORT, 9, 'x'], [17, 1, 0, 'keep', [['$a', 1]], 0])
      await say([ABORT, 1, 'once'], [ABORT, 1, 'twice'], [FORGET, 1])
      assert.equal(signals.at(-1)!.reason, 'once')
      await assertAlive(broker)
    }))

  test('cancelling a call twice, or one that was answered, is nothing', () =>
    withHostile({ root }, async ({ broker, say, heard }) => {
      await say([17, 1, 0, 'keep', [['$a', 1]], 0], [1, 2, 0, 'work', [{}]])
      await say([CANCEL, 1], [CANCEL, 2], [CANCEL, 2], [FORGET, 1])
      assert.equal(heard.of(3).length, 1)
      await until(() => broker.stats.running === 0, 'the end of the call')
      await assertAlive(broker)
    }))
})
