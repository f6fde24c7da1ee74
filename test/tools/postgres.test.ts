import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { startPostgres } from '../../tools/postgres/start.js'

async function ask(url: string, statement: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return Object.values((await client.query<object>(statement)).rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}

const isRefused = (url: string): Promise<boolean> =>
  ask(url, 'SELECT 1').then(
    () => false,
    (error: unknown) => (error as { code?: string }).code === 'ECONNREFUSED',
  )

describe('startPostgres', () => {
  const script = `
    import { startPostgres } from './tools/postgres/start.ts'
    console.log((await startPostgres()).url)
    process.stdin.once('data', () => process.exit(0))`
  const ends = ['process.exit', 'SIGTERM', 'SIGINT', 'SIGKILL'] as const

  for (const end of ends) {
    test(`leaves nothing when its process ends by ${end}`, async () => {
      const flags = ['--import', 'tsx', '--input-type=module', '--eval', script]
      const child = spawn(process.execPath, flags, {
        cwd: new URL('../..', import.meta.url),
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      const exited = once(child, 'exit')
      const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
      const url = String(chunk).trim()
      const directory = dirname(String(await ask(url, 'SHOW data_directory')))
      assert.ok(existsSync(directory))
      if (end === 'process.exit') child.stdin.write('now')
      else child.kill(end)
      await exited
      // The keeper outlives the process by what PostgreSQL takes to stop.
      for (let tries = 0; tries < 200 && existsSync(directory); tries++) await sleep(50)
      assert.ok(!existsSync(directory))
      assert.ok(await isRefused(url))
    })
  }

  test('keeps the data where it is told to', async () => {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'postgres-test-'))
    const first = await startPostgres({ dataDirectory })
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await first.stop()
    assert.ok(await isRefused(first.url))
    const second = await startPostgres({ dataDirectory })
    assert.equal(await ask(second.url, 'SELECT answer FROM kept'), 42)
    await second.stop()
    rmSync(dataDirectory, { recursive: true })
  })

  test('says why it did not start', async () => {
    const postgres = await startPostgres()
    await assert.rejects(
      startPostgres({ port: Number(new URL(postgres.url).port) }),
      /could not bind/,
    )
    await postgres.stop()
  })
})
