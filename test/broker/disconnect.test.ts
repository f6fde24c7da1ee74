import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { onDisconnect, release, type CloseReason } from 'fastify-perspective/broker'
import { withPair } from './settled.js'

interface Api {
  hang(): void
  give(): () => void
}
const root = { hang: () => new Promise(() => undefined), give: () => () => undefined }

describe('onDisconnect', () => {
  test('hears once of the end, with its reason, at both sides (T27, T30)', () =>
    withPair<Api>({ root }, {}, async ({ root, mind, server }) => {
      const heard: CloseReason[] = []
      onDisconnect(root, (reason) => heard.push(reason))
      onDisconnect(mind, (reason) => heard.push(reason))
      server.close(4440, 'kicked')
      server.close()
      await turn()
      assert.deepEqual(
        heard.map(({ code, reason, byPeer }) => [code, reason, byPeer]),
        [
          [4440, 'kicked', false],
          [4440, 'kicked', true],
        ],
      )
    }))

  test('comes after the calls that waited have rejected, and the reference is dead (O13, T30)', () =>
    withPair<Api>({ root }, {}, async ({ root, client }) => {
      const log: unknown[] = []
      onDisconnect(root, () => {
        log.push('listener')
        root.hang().catch((error: unknown) => log.push((error as { code: string }).code))
      })
      for (const name of ['first', 'second']) root.hang().catch(() => log.push(name))
      await turn()
      client.close()
      await turn()
      assert.deepEqual(log, ['first', 'second', 'listener', 'PB_ERR_REF_DEAD'])
    }))

  test('added or removed after the end: called soon, once; nothing (O12, P58)', () =>
    withPair<Api>({ root }, {}, async ({ root, client }) => {
      const log: string[] = []
      const off = onDisconnect(root, () => log.push('early'))
      client.close()
      onDisconnect(root, () => log.push('between'))
      await client.closed
      await turn()
      onDisconnect(root, ({ code }) => log.push(`late ${code}`))
      const never = onDisconnect(root, () => log.push('never'))
      never()
      assert.deepEqual(log, ['early', 'between'])
      await turn()
      off()
      off()
      assert.deepEqual(log, ['early', 'between', 'late 1000'])
    }))

  test('that was unsubscribed is not called, also by a listener before it (T26)', () =>
    withPair<Api>({ root }, {}, async ({ root, client }) => {
      const log: number[] = []
      const offs = [1, 2, 3].map((n) =>
        onDisconnect(root, () => {
          log.push(n)
          offs[2]!()
        }),
      )
      offs[0]!()
      client.close()
      await turn()
      assert.deepEqual(log, [2])
    }))

  test('the same function twice is two listeners', () =>
    withPair<Api>({ root }, {}, async ({ root, client }) => {
      let calls = 0
      const listener = (): void => void (calls += 1)
      const off = onDisconnect(root, listener)
      onDisconnect(root, listener)
      onDisconnect(root, listener)
      off()
      client.close()
      await turn()
      assert.equal(calls, 2)
    }))

  test('a listener that throws stops no other, and is reported', () => {
    const logged: unknown[] = []
    return withPair<Api>(
      { root },
      { onCallError: (error, { method }) => logged.push([(error as Error).message, method]) },
      async ({ root, client }) => {
        let calls = 0
        onDisconnect(root, () => {
          throw new Error('no')
        })
        onDisconnect(root, () => void (calls += 1))
        client.close()
        await turn()
        assert.equal(calls, 1)
        assert.deepEqual(logged, [['no', 'onDisconnect']])
      },
    )
  })

  test('of any reference, of a released one, too, is of its connection', () =>
    withPair<Api>({ root }, {}, async ({ root, client }) => {
      let calls = 0
      const callback = await root.give()
      release(callback)
      onDisconnect(callback, () => void (calls += 1))
      await turn()
      assert.equal(calls, 0)
      client.close()
      await turn()
      assert.equal(calls, 1)
    }))

  test('of what is no reference is a TypeError', () => {
    for (const wrong of [null, undefined, 5, {}, () => undefined]) {
      assert.throws(() => onDisconnect(wrong as never, () => undefined), TypeError)
    }
  })
})
