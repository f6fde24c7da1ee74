// The ledger of used tickets, where several processes share one, and where it fails.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeJwt } from 'jose'
import { startDjango } from '../django/start-django.js'
import { codeOf } from '../renewals.js'
import { sharedLedger } from '../shared-ledger.js'
import {
  SECRET,
  type TestApp,
  openWire,
  optionsFor,
  present,
  startApp,
  ticketOf,
  until,
  upgrade,
  upgradeText,
} from '../start-app.js'

const { pool } = await startDjango()
const start = (ticket: object): Promise<TestApp> => startApp(optionsFor(pool, { ticket }))

// At once: some wait for seconds, and for nobody else.
describe('a ledger that several processes share', { concurrency: true }, () => {
  test('what one has minted another admits, and each ticket once in all (door case 1)', async () => {
    const ledger = sharedLedger()
    const [one, other] = [
      await start({ secret: SECRET, ledger }),
      await start({ secret: SECRET, ledger }),
    ]
    const ticket = await ticketOf(one, 1)
    assert.equal(decodeJwt(ticket)['iid'], 'shared')
    const all = await Promise.all([one, other, one, other].map((app) => present(app, ticket)))
    assert.deepEqual(all.sort(), [101, 401, 401, 401])
    assert.equal(await present(other, await ticketOf(one, 1)), 101)
    const alone = await start({ secret: SECRET })
    assert.equal(await present(alone, await ticketOf(one, 1)), 401, 'of another ledger')
  })

  const AWAY = 'redis://user:password@redis.example'
  for (const [name, use] of Object.entries<() => unknown>({
    throws: () => {
      throw new Error(AWAY)
    },
    rejects: () => Promise.reject(new Error(AWAY)),
    'is full': () => null,
    'answers undefined': () => undefined,
    'answers a text': () => Promise.resolve('OK'),
    'never answers': () => new Promise(() => undefined),
  })) {
    test(`one that ${name}: 503 with Retry-After, not counted as a guess, and no slot is lost`, async () => {
      const app = await startApp({
        ...optionsFor(pool, { ticket: { secret: SECRET, ledger: sharedLedger(use) } }),
        rateLimits: { refusedUpgradesPerMinute: 1 },
      })
      for (let n = 0; n < 2; n++) {
        const answer = await upgrade(app, await ticketOf(app, 1))
        assert.equal(answer.status, 503)
        assert.match(String(codeOf(answer)), /^PB_ERR_(TICKET_LEDGER|UPGRADE_FULL|UPGRADE_SLOW)$/)
        assert.ok(Number(answer.headers['retry-after']) > 0)
        answer.socket.destroy()
      }
      await until(() => app.slots() === 0, 'the slots')
      assert.doesNotMatch(app.logs.join(''), /redis/)
    })
  }

  for (const how of ['end', 'destroy', 'pause'] as const) {
    test(`a page that leaves while it never answers, by ${how}(): the slot comes back (door hole 7)`, async () => {
      const ledger = sharedLedger(() => new Promise(() => undefined))
      const app = await start({ secret: SECRET, ledger })
      const wire = await openWire(app, upgradeText(await ticketOf(app, 1)))
      await until(() => app.slots() === 1, 'the admission')
      wire.socket[how]()
      await until(() => app.slots() === 0, 'the slot')
      assert.equal(app.app.perspective.sessions.count, 0)
      wire.socket.destroy()
    })
  }
})
