// The plugin among what an existing app has: routes, hooks, handlers, compilers, serializers, and HTTP versions.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fastifyCookie from '@fastify/cookie'
import Fastify, { type FastifyInstance } from 'fastify'
import perspective from 'fastify-perspective'
import { login } from 'fastify-perspective/client'
import { WebSocket } from 'ws'
import { startDjango } from './django/start-django.js'
import {
  type AppSetup,
  type TestApp,
  type TestContract,
  ask,
  openWire,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
  upgrade,
  upgradeText,
} from './start-app.js'

const builtClient = new URL('../../dist/client.min.js', import.meta.url)
const { pool } = await startDjango()
const good = { username: 'fast1', password: 'fast password 1' }

const start = (setup: AppSetup = {}, options: object = {}): Promise<TestApp> =>
  startApp(optionsFor(pool, options), setup)

/** The whole way: login, a call, logout; and everything is given back. */
async function assertWorks(app: TestApp, url = app.url): Promise<void> {
  const session = await login<TestContract>(url, good, { WebSocket })
  assert.equal(await session.perspective.whoAmI(), 'fast1')
  await session.logout()
}

const codeOf = ({ body }: { body: string }): unknown => (JSON.parse(body) as { code: unknown }).code

describe('registered in an app that has its own', () => {
  test('routes: they answer as before', async () => {
    const app = await start({
      before: (instance) => instance.get('/before', () => ({ ok: 1 })),
      after: (instance) => instance.post('/after', (request) => request.body),
    })
    await assertWorks(app)
    const origin = `http://127.0.0.1:${String(app.port)}`
    assert.equal((await ask(`${origin}/before`)).body, '{"ok":1}')
    const form = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'text' }
    assert.equal((await ask(`${origin}/after`, form)).body, 'text', "the app's parsers stay")
    assert.equal((await ask(`${origin}/nowhere`)).status, 404)
  })

  test('error handler, validator, serializer, hooks: our answers do not change (door case 42)', async () => {
    const plain = await start()
    const app = await start({
      before: async (instance) => {
        await instance.register(fastifyCookie)
        instance.setErrorHandler((_error, _request, reply) => reply.code(418).send({ hers: true }))
        instance.setValidatorCompiler(() => () => ({ error: new Error('refuses everything') }))
        instance.setSerializerCompiler(() => () => '"serialized"')
        instance.setReplySerializer(() => '"reply serialized"')
        instance.addHook('preSerialization', async () => ({ wrapped: true }))
        instance.addContentTypeParser('*', (_request, _payload, done) => {
          done(null, 'parsed by the app')
        })
        instance.get('/teapot', () => {
          throw new Error('hers')
        })
      },
    })
    await assertWorks(app)
    for (const [body, headers] of [
      [good, {}],
      [{ ...good, password: 'wrong' }, {}],
      ['{', {}],
      [good, { 'content-type': 'text/plain' }],
      [{ username: 'x'.repeat(9000) }, {}],
      [good, { origin: 'https://evil.example' }],
    ] as const) {
      const [ours, expected] = await Promise.all([
        postLogin(app, body, headers),
        postLogin(plain, body, headers),
      ])
      assert.equal(ours.status, expected.status)
      assert.equal(ours.headers['content-type'], expected.headers['content-type'])
      if (ours.status !== 200) assert.equal(ours.body, expected.body)
    }
    const refused = await upgrade(app, 'a.b.c')
    assert.equal(refused.status, 401)
    assert.equal(codeOf(refused), 'PB_ERR_TICKET_INVALID')
    assert.equal((await ask(`http://127.0.0.1:${String(app.port)}/teapot`)).status, 418)
  })

  test('hooks: they run, and see no ticket (door case 26)', async () => {
    const seen: string[] = []
    const app = await start({
      before: (instance) => {
        instance.addHook('onRequest', async ({ headers, raw }) => {
          seen.push(JSON.stringify([headers, raw.rawHeaders, raw.headersDistinct, raw.url]))
        })
      },
    })
    await assertWorks(app)
    assert.equal(seen.length, 3, 'login, socket, logout')
    assert.match(seen[1] ?? '', /perspective\.v1/)
    assert.doesNotMatch(seen.join(), /ticket|eyJ/)
  })

  test('a hook that refuses keeps its status, and the connection ends', async () => {
    const statuses: Record<string, number> = { teapot: 418, forbidden: 403, failure: 502 }
    const app = await start({
      before: (instance) => {
        instance.addHook('onRequest', async ({ headers }, reply) => {
          const wish = String(headers['x-wish'])
          if (wish === 'reply') return reply.code(401).send({ mine: true })
          const statusCode = statuses[wish]
          if (statusCode !== undefined) throw Object.assign(new Error('secret'), { statusCode })
          return undefined
        })
      },
    })
    for (const [wish, status] of [
      ['teapot', 418],
      ['forbidden', 403],
      ['failure', 500],
      ['reply', 401],
    ] as const) {
      const answer = await postLogin(app, good, { 'x-wish': wish })
      assert.equal(answer.status, status, wish)
      const wire = await openWire(app, upgradeText(await ticketOf(app, 1), { 'x-wish': wish }))
      assert.ok(await wire.ended(), `${wish}: the connection stays open`)
      wire.socket.destroy()
      assert.ok(wire.text().startsWith(`HTTP/1.1 ${String(status)} `), wire.text())
      assert.doesNotMatch(answer.body + wire.text(), /secret/)
    }
    assert.equal(app.slots(), 0)
  })

  test('rewriteUrl: a prefix that a proxy adds', async () => {
    const app = await start({
      fastify: { rewriteUrl: ({ url = '' }) => url.replace(/^\/api/, '') },
    })
    const url = `http://127.0.0.1:${String(app.port)}/api/perspective`
    await assertWorks(app, url)
  })
})

describe('where it is registered', () => {
  test('without a prefix, and with a trailing slash in it', async () => {
    const root = await start({}, { prefix: undefined })
    await assertWorks(root, `http://127.0.0.1:${String(root.port)}`)
    const slash = await start({}, { prefix: '/a/b/' })
    await assertWorks(slash, `http://127.0.0.1:${String(slash.port)}/a/b`)
  })

  test('inside a child that has a prefix', async () => {
    const app = await start({
      register: (instance, options) =>
        instance.register(
          async (child) => {
            await child.register(perspective, options)
          },
          { prefix: '/outer' },
        ),
    })
    await assertWorks(app, `http://127.0.0.1:${String(app.port)}/outer/perspective`)
    assert.equal((await ask(`${app.url}/client.js`)).status, 404)
  })

  test('twice, in two children: each its own tickets and sessions', async () => {
    const children: FastifyInstance[] = []
    const app = await start({
      register: async (instance, options) => {
        for (const prefix of ['/one', '/two']) {
          await instance.register(async (child) => {
            children.push(child)
            await child.register(perspective, { ...options, prefix })
          })
        }
      },
    })
    const [one, two] = ['one', 'two'].map((name) => ({
      url: `http://127.0.0.1:${String(app.port)}/${name}`,
    }))
    assert.ok(one && two)
    await assertWorks(app, one.url)
    await assertWorks(app, two.url)
    assert.equal((await upgrade(two, await ticketOf(one, 1))).status, 401)
    const { status, socket } = await upgrade(one, await ticketOf(one, 1))
    assert.equal(status, 101)
    assert.equal(children.length, 2)
    const slots = children.map(
      ({ perspective: { sessions } }) => (sessions as unknown as { slots: number }).slots,
    )
    assert.deepEqual(slots, [1, 0])
    socket.destroy()
  })

  test('twice in one context is refused, and says how', async () => {
    const app = Fastify()
    await app.register(perspective, optionsFor(pool))
    await assert.rejects(
      async () => app.register(perspective, optionsFor(pool, { prefix: '/b' })),
      {
        code: 'PB_ERR_OPT_INVALID',
        message: /one registration in a context.*child/,
      },
    )
    await app.close()
  })

  test('an app of HTTP/2 only is refused; with HTTP/1.1 beside it, taken', async () => {
    const h2c = Fastify({ http2: true }) as unknown as FastifyInstance
    await assert.rejects(async () => h2c.register(perspective, optionsFor(pool)), {
      code: 'PB_ERR_OPT_INVALID',
      message: /^option http2: expected .*allowHTTP1/,
    })
    const both = Fastify({ http2: true, https: { allowHTTP1: true } }) as unknown as FastifyInstance
    await both.register(perspective, optionsFor(pool))
    await both.ready()
    await both.close()
  })
})

describe('GET <prefix>/client.js', () => {
  test('is the built module, and answered by 304 where it is known', async () => {
    const app = await start()
    const { status, headers, body } = await ask(`${app.url}/client.js`)
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/javascript; charset=utf-8')
    assert.equal(headers['cache-control'], 'no-cache')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    const { etag = '' } = headers
    assert.match(etag, /^"[\w-]+"$/)
    assert.equal(body, readFileSync(builtClient, 'utf8'))
    const module = (await import(builtClient.href)) as object
    assert.deepEqual(
      ['connect', 'login'].filter((name) => name in module),
      ['connect', 'login'],
    )
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await ask(`${app.url}/client.js`, { headers: { 'if-none-match': known } })
      assert.equal(again.status, 304, known)
      assert.equal(again.body, '')
      assert.equal(again.headers.etag, etag)
    }
    const other = await ask(`${app.url}/client.js`, { headers: { 'if-none-match': '"other"' } })
    assert.equal(other.status, 200)
    const head = await ask(`${app.url}/client.js`, { method: 'HEAD' })
    assert.deepEqual([head.status, head.body], [200, ''])
    await until(() => app.slots() === 0, 'no slot')
  })
})
