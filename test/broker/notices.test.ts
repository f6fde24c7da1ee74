// What the makers of two brokers tell each other beside all calls.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Broker, transportPair } from 'fastify-perspective/broker'

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('notices', () => {
  test('cross in order with calls, and before the hello', async () => {
    const [left, right] = transportPair()
    const heard: unknown[] = []
    let publish: (root: object) => void = () => undefined
    const server = new Broker(left, {
      root: new Promise<object>((resolve) => {
        publish = resolve
      }),
      onNotice: (notice) => heard.push(notice),
    })
    const page = new Broker<{ ask(): void }>(right, {})
    page.notify({ first: 1 })
    await tick()
    assert.equal(JSON.stringify(heard), '[{"first":1}]')
    publish({ ask: () => heard.push('called') })
    await page.peer
    const asked = page.root.ask()
    page.notify(null)
    await asked
    assert.deepEqual(heard, [{ first: 1 }, 'called', null])
    server.notify('nobody listens')
    await tick()
    page.close()
    page.notify('too late')
    await tick()
    assert.equal(heard.length, 3)
  })

  test('a listener that throws is reported, and the connection stays', async () => {
    const [left, right] = transportPair()
    const errors: unknown[] = []
    const server = new Broker(left, {
      onNotice: () => {
        throw new Error('of the listener')
      },
      onCallError: (error, { method }) => errors.push([(error as Error).message, method]),
    })
    const page = new Broker(right, {})
    page.notify(1)
    page.notify(2)
    await tick()
    assert.deepEqual(errors, [
      ['of the listener', 'onNotice'],
      ['of the listener', 'onNotice'],
    ])
    assert.deepEqual(server.stats.pending, 0)
    page.close()
  })

  test('what JSON does not say, or a frame does not hold, is refused at the sender', async () => {
    const [left, right] = transportPair()
    const broker = new Broker(left, { limits: { maxFrameBytes: 1024 } })
    const peer = new Broker(right, {})
    assert.throws(() => broker.notify(undefined), /notice: expected plain JSON, got undefined/)
    assert.throws(() => broker.notify('x'.repeat(2000)), { code: 'PB_ERR_LIMIT_FRAME' })
    broker.close()
    assert.equal((await peer.closed).code, 1000)
  })
})
