// Why a login was refused shows in nothing: not in the answer, and not in the work. bench/ measures the time.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PerspectiveOptions } from 'fastify-perspective'
import { hashPool } from '../../../dist/plugin/django/hash-pool.js'
import { startDjango } from '../django/start-django.js'
import {
  type Answer,
  type TestApp,
  openRaw,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
} from '../start-app.js'

const { pool } = await startDjango()
// An account for each cause, all of the site's own hasher and count.
await pool.query(`
  UPDATE auth_user SET password = (SELECT password FROM auth_user WHERE username = 'fast1')
    WHERE username = 'mallory'`)

/** Name and password; all but the last are refused. */
const CAUSES: readonly (readonly [cause: string, username: string, password: string])[] = [
  ['unknown', 'nobody', 'fast password 1'],
  ['a name that is too long', 'n'.repeat(254), 'fast password 1'],
  ['wrong', 'fast1', 'wrong'],
  ['unusable', 'nopass', 'fast password 1'],
  ['inactive', 'mallory', 'fast password 1'],
  ['inactive and wrong', 'mallory', 'wrong'],
]

const start = (options: Partial<PerspectiveOptions> = {}): Promise<TestApp> =>
  startApp(optionsFor(pool, options))

/** What of an answer a page can tell apart; the date is another each second. */
function shapeOf({ status, headers: { date: _date, ...headers }, body }: Answer): object {
  return { status, headers, body }
}

describe('a refused login', () => {
  test('costs one query and one derivation of the same parameters for every cause (case 36; door case 27)', async (t) => {
    const app = await start({ upgradePasswords: true })
    const query = t.mock.method(pool, 'query')
    const derive = t.mock.method(hashPool, 'derive')
    const works: object[] = []
    for (const [, username, password] of CAUSES) {
      query.mock.resetCalls()
      derive.mock.resetCalls()
      assert.equal((await postLogin(app, { username, password })).status, 401)
      works.push({
        queries: query.mock.calls.map(({ arguments: [text] }) => text as unknown),
        derivations: derive.mock.calls.map(({ arguments: [{ recipe }] }) => {
          assert.ok(recipe.kind === 'pbkdf2')
          return { ...recipe, salt: recipe.salt.length }
        }),
      })
    }
    const [first] = works as [{ queries: unknown[]; derivations: unknown[] }]
    assert.equal(first.queries.length, 1)
    assert.deepEqual(first.derivations, [
      { kind: 'pbkdf2', digest: 'sha256', inner: null, salt: 22, iterations: 1000 },
    ])
    for (const [index, work] of works.entries()) assert.deepEqual(work, first, CAUSES[index]![0])
  })

  test('is answered with the same bytes for every cause (cases 35, 51; door case 27)', async () => {
    const app = await start()
    const answers = []
    for (const [, username, password] of CAUSES) {
      answers.push(shapeOf(await postLogin(app, { username, password })))
    }
    // What the form itself refuses, and what a hook has looked at, too.
    answers.push(shapeOf(await postLogin(app, { username: '', password: '' })))
    const hooked = await start({ loginHooks: { failed: () => undefined } })
    answers.push(shapeOf(await postLogin(hooked, { username: 'nobody', password: 'x' })))
    assert.deepEqual(JSON.parse((answers[0] as Answer).body), {
      code: 'PB_ERR_LOGIN_REJECTED',
      message: 'The user name or the password is wrong.',
    })
    for (const answer of answers) assert.deepEqual(answer, answers[0])
  })

  test('of no form at all: 400, no query and no derivation (case 49; door case 28)', async (t) => {
    const app = await start()
    const query = t.mock.method(pool, 'query')
    const derive = t.mock.method(hashPool, 'derive')
    const good = { username: 'fast1', password: 'fast password 1' }
    for (const body of [
      ...[5, null, [], {}, true, 'x'.repeat(255)].map((username) => ({ ...good, username })),
      ...[5, null, [], {}, true, 'x'.repeat(4097)].map((password) => ({ ...good, password })),
      { username: 'fast1' },
      { password: 'x' },
      {},
      { ...good, remember: true },
    ]) {
      const answer = await postLogin(app, body)
      assert.equal(answer.status, 400, JSON.stringify(body))
      assert.match(answer.body, /PB_ERR_LOGIN_SHAPE/)
    }
    assert.deepEqual([query.mock.callCount(), derive.mock.callCount()], [0, 0])
  })
})

describe('logins beyond what the machine can hash', () => {
  test(
    'are shed, and calls on open sessions go on meanwhile (case 79; door case 39)',
    { timeout: 120_000 },
    async () => {
      const app = await start({ passwordIterations: 200_000 })
      const session = await openRaw(app, await ticketOf(app, 2))
      await session.frame('username')
      const order: string[] = []
      const logins = Array.from({ length: 50 }, async () => {
        const answer = await postLogin(app, { username: 'nobody', password: 'x' })
        if (answer.status === 401) order.push('login')
        return answer
      })
      for (let call = 1; call <= 10; call++) {
        session.socket.send(`[[1,${String(call)},0,"echo",["call ${String(call)}"]]]`)
        await session.frame(`"call ${String(call)}"`)
        order.push('call')
      }
      const answers = await Promise.all(logins)
      // Thirty-four derivations on the main thread, or in its way, would have let no call through before their end.
      assert.ok(order.lastIndexOf('call') < order.lastIndexOf('login'), order.join())
      const shed = answers.filter(({ status }) => status === 503)
      assert.ok(shed.length > 0 && shed.length < 50, String(shed.length))
      for (const { body, headers } of shed) {
        assert.match(body, /PB_ERR_LOGIN_BUSY/)
        assert.ok(Number(headers['retry-after']) >= 1)
      }
      assert.ok(answers.every(({ status }) => status === 401 || status === 503))
      session.socket.close(1000)
      await until(() => app.slots() === 0, 'the slot')
    },
  )
})
