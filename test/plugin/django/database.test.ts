import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { inspect } from 'node:util'
import {
  DatabaseUnavailableError,
  DjangoUsers,
  openDatabase,
  type Database,
} from 'fastify-perspective/django'
import pg from 'pg'
import pgPromise from 'pg-promise'
import { startDjango } from './start-django.js'

const { url, pool } = await startDjango()
const pgp = pgPromise({ noWarnings: true })
const promised = pgp(url)
after(() => promised.$pool.end())

const SECRET = 'value-that-must-not-show'
const isUnavailable = (expected: object) => (error: DatabaseUnavailableError) => {
  assert.ok(error instanceof DatabaseUnavailableError)
  assert.equal(error.code, 'PB_ERR_DB_UNAVAILABLE')
  assert.deepEqual(error.database, expected)
  assert.equal(error.cause, undefined)
  const shown = inspect(error, { depth: 9, showHidden: true })
  for (const secret of [SECRET, new URL(url).password, 'SELECT']) assert.ok(!shown.includes(secret))
  return true
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe('openDatabase', () => {
  const kinds: readonly [string, string | Database][] = [
    ['a connection string', url],
    ['a pg Pool', pool],
    ['a pg-promise database', promised],
  ]
  for (const [name, kind] of kinds) {
    test(`runs bound queries on ${name}`, async () => {
      const database = openDatabase(kind)
      const rows = await database.query('SELECT $1::text AS a, $2::int AS b', [`'; DROP TABLE`, 7])
      assert.deepEqual(rows, [{ a: `'; DROP TABLE`, b: 7 }])
      await database.close()
    })

    test(`lets only words of an error of ${name} out`, async () => {
      const database = openDatabase(kind)
      const query = database.query(`SELECT $1::int, '${SECRET}'`, [SECRET])
      await assert.rejects(
        query,
        isUnavailable({ code: '22P02', severity: 'ERROR', routine: 'pg_strtoint32_safe' }),
      )
      assert.deepEqual(await database.query('SELECT 1 AS one', []), [{ one: 1 }])
      await database.close()
    })
  }

  test('closes what it opened and nothing else', async () => {
    for (const kind of [pool, promised]) {
      const database = openDatabase(kind)
      await database.close()
      assert.deepEqual(await database.query('SELECT 1 AS one', []), [{ one: 1 }])
    }
    const opened = openDatabase(url)
    await opened.query('SELECT 1', [])
    await opened.close()
    await assert.rejects(opened.query('SELECT 1', []), DatabaseUnavailableError)
  })

  test('says that the database is silent when a query takes too long', async () => {
    for (const kind of [url, pool]) {
      const database = openDatabase(kind)
      const query = database.query('SELECT pg_sleep(20)', [])
      await assert.rejects(query, isUnavailable({ code: 'ETIMEDOUT' }))
      assert.deepEqual(await database.query('SELECT 1 AS one', []), [{ one: 1 }])
      await database.close()
    }
    await pool.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%sleep(20)%' AND pid <> pg_backend_pid()",
    )
  })

  test('goes on after its connections were terminated, without a word on the console', async () => {
    const script = `
      import { openDatabase } from 'fastify-perspective/django'
      const [one, other] = [openDatabase(process.env.URL), openDatabase(process.env.URL)]
      const terminate = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1'
      const [{ pid }] = await one.query('SELECT pg_backend_pid() AS pid', [])
      await other.query(terminate, [pid])
      await one.query('SELECT pg_terminate_backend(pg_backend_pid())', []).catch((e) => console.log(e.code))
      console.log((await one.query('SELECT 5 AS five', []))[0].five)`
    const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: new URL('../../..', import.meta.url),
      encoding: 'utf8',
      env: { ...process.env, URL: url },
      timeout: 15_000,
    })
    // It ends by itself as well: idle connections keep no process.
    assert.deepEqual(
      [child.stdout, child.stderr, child.status],
      ['PB_ERR_DB_UNAVAILABLE\n5\n', '', 0],
    )
  })

  test('refuses what is no database, without showing it', () => {
    const notDatabases = [undefined, null, '', 5, {}, { query: 5 }, { $pool: null }, { $pool: {} }]
    for (const value of notDatabases) {
      assert.throws(() => openDatabase(value as unknown as Database), {
        name: 'InvalidOptionError',
        code: 'PB_ERR_OPT_INVALID',
        message:
          /^option database: expected a connection string, a pg Pool or a pg-promise database, got \w/,
      })
    }
  })
})

describe('a database that is not there', () => {
  test('refuses the connection', async () => {
    const server = createServer()
    const port = await listen(server)
    server.close()
    await once(server, 'close')
    const address = `postgres://someone:${SECRET}@127.0.0.1:${String(port)}/django`
    const closedPool = new pg.Pool({ connectionString: address })
    for (const kind of [address, closedPool]) {
      const users = new DjangoUsers(kind)
      const refused = isUnavailable({ code: 'ECONNREFUSED' })
      await assert.rejects(users.accountByUsername('ada'), refused)
      await assert.rejects(users.byId('1'), refused)
      await assert.rejects(users.permissionsOf('1'), refused)
      await users.close()
    }
    await closedPool.end()
  })

  test('accepts and says nothing', async () => {
    const sockets: Socket[] = []
    const server = createServer((socket) => sockets.push(socket))
    const address = `postgres://someone:${SECRET}@127.0.0.1:${String(await listen(server))}/django`
    const silentPool = new pg.Pool({ connectionString: address })
    for (const kind of [address, silentPool]) {
      const users = new DjangoUsers(kind)
      await assert.rejects(users.byId('1'), isUnavailable({ code: 'ETIMEDOUT' }))
      await users.close()
    }
    for (const socket of sockets) socket.destroy()
    server.close()
    await silentPool.end()
  })

  test('refuses the password', async () => {
    const address = new URL(url)
    address.password = SECRET
    const users = new DjangoUsers(address.href)
    await assert.rejects(
      users.byId('1'),
      isUnavailable({ code: '28P01', severity: 'FATAL', routine: 'auth_failed' }),
    )
    await users.close()
  })
})
