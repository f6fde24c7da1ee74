import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import Fastify from 'fastify'
import perspective, { Avatar, type PerspectiveOptions } from 'fastify-perspective'
import { startDjango } from './start-django.js'

const { pool } = await startDjango()
const ORIGIN = 'https://www.example.com'

class Nothing extends Avatar {
  static readonly remote = {}
}

async function startApp(
  options: Partial<PerspectiveOptions>,
  log: (line: string) => void = () => undefined,
) {
  const app = Fastify({ logger: { level: 'warn', stream: { write: log } } })
  await app.register(perspective, {
    database: pool,
    ticket: { secret: randomBytes(32).toString('base64') },
    allowedOrigins: [ORIGIN],
    realm: (session) => new Nothing(session),
    passwordIterations: 1,
    ...options,
  } as PerspectiveOptions)
  return app
}

async function logIn(
  app: Awaited<ReturnType<typeof startApp>>,
  username: string,
  password: string,
) {
  const headers = { origin: ORIGIN }
  const url = '/login'
  const answer = await app.inject({ method: 'POST', url, headers, payload: { username, password } })
  return answer.statusCode
}

describe('the options of the plugin', () => {
  test('say which hashers count; a log line names one that does not (cases 17, 78)', async () => {
    const encoded = 'md5$seasalt$3f86d0d3d465b7b458c231bf3555c0e3'
    await pool.query("UPDATE auth_user SET password = $1 WHERE username = 'fast2'", [encoded])
    const lines: string[] = []
    const strict = await startApp({}, (line) => lines.push(line))
    assert.equal(await logIn(strict, 'fast2', 'lètmein'), 401)
    assert.equal(lines.length, 1)
    assert.match(lines[0]!, /perspective: a stored password was refused: its hasher md5 is not in/)
    assert.ok(!lines[0]!.includes('seasalt') && !lines[0]!.includes('3f86'))
    await strict.close()
    const open = await startApp({ hashers: ['pbkdf2_sha256', 'md5'] })
    assert.equal(await logIn(open, 'fast2', 'lètmein'), 200)
    assert.equal(await logIn(open, 'fast2', 'letmein'), 401)
    await open.close()
  })

  test('say how names compare', async () => {
    const app = await startApp({ users: { iexact: true } })
    assert.equal(await logIn(app, 'FAST1', 'fast password 1'), 200)
    await app.close()
    const exact = await startApp({})
    assert.equal(await logIn(exact, 'FAST1', 'fast password 1'), 401)
    await exact.close()
  })

  test('are refused by their own names', async () => {
    const refused: readonly [object, RegExp][] = [
      [{ hashers: ['crypt'] }, /^option hashers\[0\]: /],
      [{ hashers: [] }, /^option hashers: /],
      [{ passwordIterations: 0 }, /^option passwordIterations: .* got 0$/],
      [{ passwordCosts: { bcrypt: { rounds: 3 } } }, /^option passwordCosts\.bcrypt: /],
      [{ bcryptTruncate: 'yes' }, /^option bcryptTruncate: expected true or false, got string$/],
      [{ users: { tabel: 'x' } }, /^option users\.tabel: /],
    ]
    for (const [options, message] of refused) {
      await assert.rejects(startApp(options), { code: 'PB_ERR_OPT_INVALID', message })
    }
  })
})
