// Pages of other origins: what the listed ones may read, what the others get, and what an app's own @fastify/cors changes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fastifyCors from '@fastify/cors'
import Fastify, { type FastifyInstance } from 'fastify'
import { launchChromium, needsChromium } from '../support/chromium.js'
import { startDjango } from './django/start-django.js'
import { codeOf, logIn, postLogout, renew } from './renewals.js'
import {
  type Answer,
  type AppSetup,
  PAGE,
  type TestApp,
  WIDE,
  ask,
  optionsFor,
  postLogin,
  startApp,
} from './start-app.js'

const { pool } = await startDjango()
const good = { username: 'fast1', password: 'fast password 1' }
const EVIL = 'https://evil.example'

const start = (options: object = {}, setup: AppSetup = {}): Promise<TestApp> =>
  startApp(optionsFor(pool, options), setup)

const corsOf = ({ headers }: Answer): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')))

function assertReadable(answer: Answer, what: string): void {
  const { headers } = answer
  assert.equal(headers['access-control-allow-origin'], PAGE, what)
  assert.match(String(headers['access-control-expose-headers']), /\bretry-after\b/i, what)
  assert.match(String(headers.vary), /\bOrigin\b/i, what)
  assert.equal(headers['access-control-allow-credentials'], undefined, what)
}

const preflight = (app: TestApp, route: string, origin: string): Promise<Answer> =>
  ask(`${app.url}${route}`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    },
  })

const HOSTS: Record<string, AppSetup> = {
  'without @fastify/cors of its own': {},
  'that lets everybody in, registered before': {
    before: (app) => app.register(fastifyCors, { origin: '*' }),
  },
  'that reflects any origin, with cookies, registered before': {
    before: (app) =>
      app.register(fastifyCors, { origin: true, credentials: true, exposedHeaders: ['x'] }),
  },
  'of another origin, registered before': {
    before: (app) => app.register(fastifyCors, { origin: 'https://other.example' }),
  },
  'with a delegator, in a later hook': {
    before: (app) =>
      app.register(fastifyCors, {
        hook: 'preHandler',
        delegator: (_request, done) => done(null, { origin: true }),
      }),
  },
  'registered after': { after: (app) => app.register(fastifyCors, { origin: '*' }) },
  'in a sibling scope': {
    before: (app) =>
      app.register(async (sibling) => {
        await sibling.register(fastifyCors, { origin: '*' })
        sibling.get('/sibling', () => 'ok')
      }),
  },
  'by hand': {
    before: (app) =>
      app.addHook('onRequest', async (_request, reply) => {
        reply.header('Access-Control-Allow-Origin', '*')
      }),
  },
}

for (const [name, setup] of Object.entries(HOSTS)) {
  const app = await start({ rateLimits: { ...WIDE, accountPer5Minutes: 2 } }, setup)
  describe(`pages of other origins, in an app ${name} (door case 43)`, () => {
    test('a listed one may ask, and read every answer: 200, 400, 401, 415, 429', async () => {
      for (const route of ['/login', '/renew', '/logout']) {
        const asked = await preflight(app, route, PAGE)
        assert.equal(asked.status, 204, route)
        assertReadable(asked, route)
        assert.match(String(asked.headers['access-control-allow-methods']), /\bPOST\b/)
        assert.match(String(asked.headers['access-control-allow-headers']), /content-type/i)
        assert.ok(Number(asked.headers['access-control-max-age']) > 0)
      }
      const answers: [number, Answer][] = [
        [200, await postLogin(app, good, { origin: PAGE })],
        [401, await postLogin(app, { ...good, password: 'wrong' }, { origin: PAGE })],
        [429, await postLogin(app, good, { origin: PAGE })],
        [400, await postLogin(app, '{', { origin: PAGE })],
        [415, await postLogin(app, '{}', { origin: PAGE, 'content-type': 'text/plain' })],
        [401, await renew(app, 'a.b.c', { origin: PAGE })],
        [204, await postLogout(app, 'a.b.c', { origin: PAGE })],
      ]
      for (const [status, answer] of answers) {
        assert.equal(answer.status, status)
        assertReadable(answer, String(status))
      }
    })

    test('503 is readable, too: the database is away', async (t) => {
      const { renewal } = await logIn(app, 2, { origin: PAGE })
      t.mock.method(pool, 'query', () => Promise.reject(new Error('down')))
      for (const answer of [
        await postLogin(app, { username: 'fast4', password: 'x' }, { origin: PAGE }),
        await renew(app, renewal, { origin: PAGE }),
      ]) {
        assert.equal(answer.status, 503)
        assertReadable(answer, '503')
        assert.ok(Number(answer.headers['retry-after']) > 0)
        const { retryAfter } = JSON.parse(answer.body) as { retryAfter: number }
        assert.equal(answer.headers['retry-after'], String(retryAfter))
      }
    })

    test('an unlisted one gets 403, no header that welcomes it, and nothing is done for it', async (t) => {
      const query = t.mock.method(pool, 'query')
      for (const origin of [EVIL, 'null', `${PAGE}.evil.example`, 'http://page.example']) {
        const answers = [
          await postLogin(app, good, { origin }),
          await postLogin(app, good, { origin, 'content-type': 'text/plain' }),
          await renew(app, 'a.b.c', { origin }),
          await postLogout(app, 'a.b.c', { origin }),
        ]
        for (const answer of answers) {
          assert.equal(answer.status, 403, origin)
          assert.equal(codeOf(answer), 'PB_ERR_ORIGIN_REFUSED')
          assert.deepEqual(corsOf(answer), {}, origin)
        }
        const asked = await preflight(app, '/login', origin)
        assert.equal(asked.headers['access-control-allow-origin'], undefined, origin)
        assert.ok(asked.status === 403, `${origin}: ${String(asked.status)}`)
      }
      assert.equal(query.mock.callCount(), 0)
    })

    test('client.js can be loaded as a module by listed origins, and is no secret', async () => {
      const listed = await ask(`${app.url}/client.js`, { headers: { origin: PAGE } })
      assert.equal(listed.status, 200)
      assertReadable(listed, 'client.js')
      const known = await ask(`${app.url}/client.js`, {
        headers: { origin: PAGE, 'if-none-match': String(listed.headers.etag) },
      })
      assert.equal(known.status, 304)
      assertReadable(known, 'client.js, 304')
      const other = await ask(`${app.url}/client.js`, { headers: { origin: EVIL } })
      assert.equal(other.status, 200)
      assert.notEqual(other.headers['access-control-allow-origin'], EVIL)
      assert.match(String(other.headers.vary), /\bOrigin\b/i, 'a cache tells them apart')
    })
  })
}

describe('the routes of the app itself', () => {
  test('keep their own answers, with our prefix the root: no header of ours, no OPTIONS of ours', async () => {
    const app = await start(
      { prefix: '' },
      {
        before: (instance: FastifyInstance) => instance.get('/own', () => 'own'),
        after: (instance: FastifyInstance) =>
          instance.register(
            async (scope) => {
              await scope.register(fastifyCors, { origin: 'https://other.example' })
              scope.get('/theirs', () => 'theirs')
            },
            { prefix: '/sub' },
          ),
      },
    )
    const base = app.url.replace('/perspective', '')
    const own = await ask(`${base}/own`, { headers: { origin: PAGE } })
    assert.equal(own.status, 200)
    assert.deepEqual(corsOf(own), {})
    assert.equal(
      (await ask(`${base}/own`, { method: 'OPTIONS', headers: { origin: PAGE } })).status,
      404,
    )
    const theirs = await ask(`${base}/sub/theirs`, { headers: { origin: PAGE } })
    assert.equal(theirs.headers['access-control-allow-origin'], 'https://other.example')
    assertReadable(await postLogin({ url: base }, good, { origin: PAGE }), 'ours')
  })
})

describe('a real browser, its page of another origin (door case 43)', needsChromium(), () => {
  test('a listed one logs in and reads why it may not; an unlisted one cannot even load the module', async (t) => {
    const pages = Fastify()
    pages.get('/', (_request, reply) =>
      reply.type('text/html').send('<!doctype html><title>x</title>'),
    )
    await pages.listen({ port: 0, host: 'localhost' })
    const { port } = pages.server.address() as { port: number }
    const listed = `http://127.0.0.1:${String(port)}`
    const app = await start({
      allowedOrigins: [listed],
      rateLimits: { ...WIDE, accountPer5Minutes: 2 },
    })
    const browser = await launchChromium()
    t.after(async () => {
      await browser.close()
      await pages.close()
    })
    const run = async (origin: string): Promise<unknown> => {
      const page = await browser.newPage()
      await page.goto(origin)
      return page.evaluate(`(async () => {
        try {
          const { login } = await import('${app.url}/client.js')
          const session = await login('${app.url}', ${JSON.stringify(good)})
          const name = await session.perspective.whoAmI()
          await session.logout()
          const errors = []
          for (let n = 0; n < 2; n++) {
            const wrong = login('${app.url}', { username: 'fast1', password: 'wrong' })
            errors.push(await wrong.catch(({ code, retryAfterSeconds }) => [code, retryAfterSeconds > 0]))
          }
          const plain = await fetch('${app.url}/login', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ username: 'fast1', password: 'wrong' }),
          })
          return [name, ...errors, [plain.status, Number(plain.headers.get('retry-after')) > 0]]
        } catch (error) {
          return String(error)
        }
      })()`)
    }
    assert.deepEqual(await run(listed), [
      'fast1',
      ['PB_ERR_LOGIN_REJECTED', false],
      ['PB_ERR_LOGIN_LIMIT', true],
      [429, true],
    ])
    assert.match(String(await run(listed.replace('127.0.0.1', 'localhost'))), /TypeError/)
  })
})
