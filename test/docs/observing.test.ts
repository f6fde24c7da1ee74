// The examples of docs/observing.md are code: they are taken out of the page, compiled as a user would, and run.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { PerspectiveOptions } from 'fastify-perspective'
import { startDjango } from '../plugin/django/start-django.js'
import { openRaw, optionsFor, postLogin, ticketOf } from '../plugin/start-app.js'

const { pool } = await startDjango()
const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(root, 'test/docs/.observing')
const require = createRequire(import.meta.url)

before(async () => {
  const page = await readFile(join(root, 'docs/observing.md'), 'utf8')
  await mkdir(folder, { recursive: true })
  for (const [, name, code] of page.matchAll(/```ts\n\/\/ ([\w-]+\.ts)\n([\s\S]*?)```/g)) {
    await writeFile(join(folder, name ?? ''), code ?? '')
  }
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  }
  const config = { compilerOptions, files: ['metrics.ts', 'spans.ts'] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
})
after(() => rm(folder, { recursive: true, force: true }))

describe('docs/observing.md', () => {
  test('its examples compile', { timeout: 120_000 }, () => {
    const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout)
  })

  test('and do what they say', async () => {
    const load = (name: string): Promise<Record<string, unknown>> =>
      import(pathToFileURL(join(folder, name)).href) as Promise<Record<string, unknown>>
    const { createApp } = (await load('metrics.ts')) as {
      createApp: (options: PerspectiveOptions) => Promise<FastifyInstance>
    }
    const { traceCalls } = (await load('spans.ts')) as {
      traceCalls: (tracer: object) => () => void
    }
    const app = await createApp(optionsFor(pool))
    after(() => app.close())
    const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/perspective`
    const spans: string[] = []
    const stop = traceCalls({
      startSpan: (name: string) => ({
        setStatus: () => spans.push('error'),
        end: () => spans.push(name),
      }),
    })
    const session = await openRaw({ url }, await ticketOf({ url }, 1))
    await session.frame('username')
    session.socket.send('[[1,1,0,"whoAmI",[]],[1,2,0,"what",[]]]')
    await session.frame('PB_ERR_CALL_UNKNOWN_METHOD')
    stop()
    assert.deepEqual(spans, ['perspective whoAmI', 'error', 'perspective ?'])
    await postLogin({ url }, { username: 'fast1', password: 'wrong' })
    const { body } = await app.inject('/metrics')
    assert.match(body, /^perspective_sessions 1$/m)
    assert.match(body, /^perspective_authorityAge [\d.]+$/m)
    assert.match(body, /^perspective_logins_total\{outcome="ok"\} 1$/m)
    assert.match(body, /^perspective_refusals_total\{code="PB_ERR_LOGIN_REJECTED"\} 1$/m)
    session.socket.close(1000)
    await session.closed
  })
})
