// Further ways in, from a page in a real browser, with the module that the plugin serves.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Credentials } from 'fastify-perspective/client'
import type { Browser, Page } from 'playwright-core'
import { addLogin, SECRET_KEY } from '../plugin/django/django-session.js'
import { startDjango } from '../plugin/django/start-django.js'
import { type TestApp, optionsFor, startApp } from '../plugin/start-app.js'
import { launchChromium, needsChromium } from '../support/chromium.js'
import { findFreePort } from '../support/demo.js'

const { skip } = needsChromium()

describe('login in a page', { skip }, async () => {
  if (skip !== false) return
  const { pool } = await startDjango()
  const port = await findFreePort()
  const origin = `http://127.0.0.1:${String(port)}`
  const app: TestApp = await startApp(
    optionsFor(pool, {
      allowedOrigins: [origin],
      anonymous: true,
      allowPasswordEquivalentHashes: true,
      djangoSessions: { secretKeys: [SECRET_KEY] },
    }),
    {
      after: (server) =>
        server.get('/page', (_request, reply) => reply.type('text/html').send('<title>p</title>')),
    },
    port,
  )
  const browser: Browser = await launchChromium()
  after(async () => {
    await browser.close()
    await app.close()
  })

  const open = async (cookie?: string): Promise<Page> => {
    const context = await browser.newContext()
    if (cookie !== undefined) {
      const from = { url: origin, name: 'sessionid', httpOnly: true, sameSite: 'Lax' } as const
      await context.addCookies([{ ...from, value: cookie }])
    }
    const page = await context.newPage()
    await page.goto(`${origin}/page`)
    return page
  }

  /** Logs in; answers who that is, or the name and code of the error. */
  const logIn = (page: Page, credentials: Credentials): Promise<unknown> =>
    page.evaluate(async (shown) => {
      const address: string = '/perspective/client.js'
      const client = (await import(address)) as typeof import('fastify-perspective/client')
      try {
        const session = await client.login<{ whoAmI(): string }>('/perspective', shown)
        const name = await session.perspective.whoAmI()
        await session.logout()
        return name
      } catch (error) {
        const { name, code } = error as { name: string; code: string }
        return [name, code]
      }
    }, credentials)

  test('{ type: "session" }: the cookie that no script can read', async () => {
    const page = await open(await addLogin(pool, 'fast1'))
    assert.equal(await page.evaluate(() => document.cookie), '')
    assert.equal(await logIn(page, { type: 'session' }), 'fast1')
    const gone = await open('0123456789abcdef0123456789abcdef')
    const rejected = ['UnauthorizedLoginError', 'PB_ERR_LOGIN_REJECTED']
    assert.deepEqual(await logIn(gone, { type: 'session' }), rejected)
    assert.deepEqual(await logIn(await open(), { type: 'session' }), rejected)
  })

  test('{ type: "anonymous" }, and a password that takes no cookie along', async () => {
    const page = await open(await addLogin(pool, 'fast1'))
    assert.equal(await logIn(page, { type: 'anonymous' }), '')
    const cookies: (string | undefined)[] = []
    page.on('request', (request) => {
      if (request.url().endsWith('/login')) cookies.push(request.headers()['cookie'])
    })
    const password = { username: 'fast2', password: 'fast password 2' }
    assert.equal(await logIn(page, password), 'fast2')
    assert.deepEqual(cookies, [undefined])
  })

  test('{ type: "hashed-password" }: the password stays in the page (door case 76)', async () => {
    const page = await open()
    const sent: string[] = []
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`))
    const credentials = { type: 'hashed-password', username: 'ada' } as const
    const password = 'difference engine'
    assert.equal(await logIn(page, { ...credentials, password }), 'ada')
    const rejected = ['UnauthorizedLoginError', 'PB_ERR_LOGIN_REJECTED']
    assert.deepEqual(await logIn(page, { ...credentials, password: 'analytical' }), rejected)
    const paths = sent.map((line) => new URL(line.split(' ')[0] ?? '').pathname.split('/').at(-1))
    assert.deepEqual(paths.slice(0, 4), ['client.js', 'hashed-password.js', 'challenge', 'login'])
    assert.doesNotMatch(sent.join('\n'), /difference|analytical/)
  })
})
