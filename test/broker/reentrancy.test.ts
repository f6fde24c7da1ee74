// What is called from inside of something else: getters, states, listeners.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Cacheable, localPair, onDisconnect, reference } from 'fastify-perspective/broker'
import { type Any, type Call, outcomeOf, start } from '../support/scripted-broker.js'
import { settled } from '../support/scripted-peer.js'

describe('re-entrancy', () => {
  const getter = (get: () => unknown): object =>
    Object.defineProperty({}, 'a', { get, enumerable: true })

  test('calls made by a getter while a call is encoded keep ids and order right', async () => {
    const [left, right] = localPair(
      {},
      { root: reference({ echo: (value: unknown) => value } as never) },
    )
    const remote = left.root as unknown as Any
    const inner: Promise<unknown>[] = []
    const outer = remote.echo(getter(() => inner.push(remote.echo(new Date(inner.length)))))
    assert.equal(typeof ((await outer) as { a: number }).a, 'number')
    assert.ok((await Promise.all(inner)).every((value) => value instanceof Date))
    right.close()
  })

  test('a state that makes calls while it is told does not take the id of the call that waits', async () => {
    class Noisy extends Cacheable<object> {
      override stateFor(): object {
        inner.push(remote.echo('inner'))
        return { n: inner.length }
      }
      touch(): void {
        this.update({ n: -1 })
      }
    }
    const [left, right] = localPair(
      {},
      {
        root: reference({
          echo: (value: unknown) => value,
          hold: (value: unknown) => void held.push(value),
        } as never),
      },
    )
    const held: unknown[] = []
    const remote = left.root as unknown as Any & { hold: Call }
    const inner: Promise<unknown>[] = []
    const noisy = new Noisy({ n: 0 })
    await remote.hold(noisy)
    noisy.touch()
    assert.equal(await remote.echo('outer'), 'outer')
    assert.ok((await Promise.all(inner)).every((value) => value === 'inner'))
    assert.equal(right.stats.imported, 1)
    right.close()
  })

  for (const [what, extra] of [
    ['plain', 1],
    ['tagged', new Date(0)],
  ] as const) {
    test(`a getter that closes the connection leaves no call waiting: ${what}`, async () => {
      const { broker, remote } = await start()
      const call = remote.echo(
        getter(() => {
          broker.close()
          return extra
        }),
        () => 1,
      )
      assert.equal(await outcomeOf(call), 'ConnectionLostError not-sent')
      assert.deepEqual(Object.values(broker.stats), [0, 0, 0, 0, 0, 0])
    })
  }

  test('P21: a getter that throws rejects the call, or is the failure of its method', async () => {
    const { peer, broker, remote, faults } = await start(
      reference({
        echo: () =>
          getter(() => {
            throw new Error('of a getter')
          }),
      } as never),
    )
    await assert.rejects(
      async () =>
        remote.echo(
          getter(() => {
            throw new Error('of a getter')
          }),
        ),
      /of a getter/,
    )
    assert.equal(broker.stats.pending, 0)
    peer.say([1, 1, 0, 'echo', []])
    assert.deepEqual(peer.take()[0]?.slice(0, 3), [4, 1, 'PB_ERR_CALL_FAILED'])
    assert.deepEqual(faults.map(String), ['Error: of a getter'])
    peer.end()
  })

  test('a listener may close, and listen anew', async () => {
    const { peer, broker } = await start()
    let count = 0
    onDisconnect(broker.root, () => {
      broker.close()
      onDisconnect(broker.root, () => (count += 1))
    })
    peer.end()
    await settled()
    assert.equal(count, 1)
  })
})
