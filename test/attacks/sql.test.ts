// SQL in every field that reaches the database, as PostgreSQL's own log shows what came of it (door case 73).
import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import pg from 'pg'
import { loadDjango, startPostgres } from '../../tools/postgres/start.js'
import { SECRET_KEY, addLogin } from '../plugin/django/django-session.js'
import { postTicket } from '../plugin/login/post-ticket.js'
import { SECRET, optionsFor, postLogin, startApp, ticketOf, upgrade } from '../plugin/start-app.js'

const folder = await mkdtemp(join(tmpdir(), 'perspective-sql-'))
const logFile = join(folder, 'postgres.log')
const postgres = await startPostgres({ logFile })
await loadDjango(postgres.url)
const pool = new pg.Pool({ connectionString: postgres.url })
after(async () => {
  await pool.end()
  await postgres.stop()
  await rm(folder, { recursive: true })
})
await pool.query("ALTER DATABASE postgres SET log_statement = 'all'")

/** In every text below: what stands beside it in a statement came from a page. */
const MARK = 'q7mark'
const TEXTS = [
  `'; DROP TABLE auth_user; -- ${MARK}`,
  `${MARK}' OR '1'='1`,
  `${MARK}\\'; SELECT pg_sleep(9); --`,
  `$1:raw ${MARK} $1^ $1:name $1# $\{this:raw} $(this) $<this> $/this/`,
  `${MARK}%' UNION SELECT password FROM auth_user --`,
  `"${MARK}"; DELETE FROM auth_user; /*`,
  `$$${MARK}$$; $q$`,
  `E'\\x27' ${MARK} \u02bc\uff07`,
  `${MARK}${"'".repeat(3000)}`,
]

function forge(good: string, claims: object, header: object = {}): string {
  const [head, body] = good.split('.').map((part) => Buffer.from(part, 'base64url').toString())
  const parts = [
    { ...(JSON.parse(head ?? '') as object), ...header },
    {
      ...(JSON.parse(body ?? '') as object),
      jti: randomBytes(16).toString('base64url'),
      ...claims,
    },
  ]
  const text = parts
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`
}

for (const [name, database] of [
  ['a connection string, which pg-promise opens', postgres.url],
  ['a pool of pg', new pg.Pool({ connectionString: postgres.url })],
] as const) {
  test(`username, password, ticket, kid, cookie and expect are parameters or nothing: ${name}`, async () => {
    const app = await startApp(
      optionsFor(database, { djangoSessions: { secretKeys: [SECRET_KEY] } }),
    )
    const key = await addLogin(pool, 'fast1')
    const good = await ticketOf(app, 1)
    try {
      for (const text of TEXTS) {
        const short = text.slice(0, 200)
        const answers = [
          await postLogin(app, { username: short, password: text }),
          await postLogin(app, { username: 'fast1', password: text }),
          await postLogin(app, { username: text, password: 'x' }),
          await postTicket(app, { cookie: `sessionid=${encodeURIComponent(text)}` }),
          await postTicket(app, { cookie: `sessionid=${short.replace(/[^\x21-\x7e]|;/g, '')}` }),
          await postTicket(app, { cookie: `sessionid=${key}` }, { expect: short }),
        ]
        for (const claim of ['sub', 'chk', 'jti', 'iss', 'aud', 'org', 'iid', 'ver']) {
          const { socket, ...answer } = await upgrade(app, forge(good, { [claim]: short }))
          socket.destroy()
          answers.push({ socket, ...answer })
        }
        answers.push(await upgrade(app, forge(good, {}, { kid: short })))
        for (const { status } of answers) {
          // A jti is any text: it is used once, and reaches no statement.
          assert.ok([101, 400, 401, 409].includes(status), `${String(status)}: ${text}`)
        }
      }
    } finally {
      await app.close()
      if (typeof database !== 'string') await database.end()
    }
    const { rows } = await pool.query<{ count: string }>('SELECT count(*) FROM auth_user')
    assert.equal(rows[0]?.count, '8')
  })
}

test('the log of PostgreSQL has the texts as bound parameters and in no statement', async () => {
  await pool.query('SELECT 1 AS last_line')
  let log = ''
  for (let tries = 0; tries < 100 && !log.includes('last_line'); tries++) {
    log = await readFile(logFile, 'utf8')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const lines = log.split('\n').filter((line) => line.includes(MARK))
  assert.ok(lines.length >= TEXTS.length, `${String(lines.length)} lines`)
  // An id that is no number is refused by its type, before any row is looked at; the message quotes it.
  for (const line of lines)
    assert.match(
      line,
      /(DETAIL|CONTEXT): .*(parameters: \$1|parameter \$1) = '|ERROR: {2}invalid input syntax for type integer: "/i,
    )
  assert.match(log, /execute <unnamed>: SELECT[^]*?username\S* = \$1/)
  assert.doesNotMatch(log, /ERROR(?!: {2}invalid input syntax for type integer)/)
})
