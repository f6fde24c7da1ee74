// The served client in a real browser: a strict Content-Security-Policy, a worker, and the life of a page.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Session, SessionState } from 'fastify-perspective/client'
import { launchChromium, needsChromium } from '../support/chromium.js'
import { type Network, startNetwork } from '../support/network.js'
import { DoorServer } from './door-server.js'
import { until } from './pages.js'
import type { Contract } from './root.js'

declare global {
  // What the page's script puts there.
  var session: Session<Contract>
  var states: SessionState['name'][]
  var shows: boolean[]
  var violations: string[]
  var heard: unknown[]
  var own: Worker
}

const start = (options: string): string => `
  import { login } from '/client.js'
  globalThis.states = []
  globalThis.shows = []
  globalThis.violations = []
  addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective))
  addEventListener('pageshow', ({ persisted }) => shows.push(persisted))
  globalThis.session = await login('/perspective', { username: '1', password: 'good' }, ${options})
  session.subscribe(({ name }) => states.push(name))
  document.title = 'open'
`
const fast = '{ reconnect: { minDelayMs: 5, maxDelayMs: 50 } }'
const forbidden = `
  globalThis.violations = []
  addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective))
  try { new Function('return 1')() } catch (error) { document.title = error.name }
`
const worker = `
  import { login } from '/client.js'
  const session = await login('/perspective', { username: '1', password: 'good' }, {
    reconnect: { minDelayMs: 5, maxDelayMs: 50 },
    mind: { ask: (question) => question + ' from a worker' },
  })
  session.subscribe(({ name }) => postMessage(name))
  onmessage = async ({ data }) => postMessage(await session.perspective.ask(data))
  postMessage('ready')
`
const boss = `
  globalThis.heard = []
  globalThis.own = new Worker('/worker.js', { type: 'module' })
  own.onmessage = ({ data }) => heard.push(data)
  own.onerror = ({ message }) => heard.push(message)
`
const html = (src: string): [string, string] => [
  'text/html',
  `<!doctype html><meta charset="utf-8"><script type="module" src="${src}"></script>`,
]

describe('in a browser', needsChromium(), () => {
  let browser: Browser
  let context: BrowserContext
  let server: DoorServer
  let network: Network
  let origin: string

  before(async () => {
    const client = readFileSync(new URL('../../dist/client.min.js', import.meta.url), 'utf8')
    server = await DoorServer.start({
      // Nothing but the page's own server, and nothing that is made from text.
      headers: {
        'content-security-policy':
          "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'",
      },
      files: {
        '/': html('/page.js'),
        '/patient': html('/patient.js'),
        '/forbidden': html('/forbidden.js'),
        '/boss': html('/boss.js'),
        '/elsewhere': ['text/html', '<!doctype html><title>elsewhere</title>'],
        '/client.js': ['text/javascript', client],
        '/page.js': ['text/javascript', start(fast)],
        '/patient.js': ['text/javascript', start('{}')],
        '/forbidden.js': ['text/javascript', forbidden],
        '/boss.js': ['text/javascript', boss],
        '/worker.js': ['text/javascript', worker],
      },
    })
    network = await startNetwork(server.port)
    origin = `http://127.0.0.1:${String(network.port)}`
    // Playwright would forbid what a user's browser does: keep a page that one comes back to.
    browser = await launchChromium({ ignoreDefaultArgs: ['--disable-back-forward-cache'] })
    context = await browser.newContext()
  })
  after(async () => {
    await browser.close()
    await network.close()
    await server.close()
  })

  async function open(path = '/'): Promise<Page> {
    const page = await context.newPage()
    await page.goto(origin + path)
    await page.waitForFunction(() => document.title === 'open')
    server.events.length = 0
    return page
  }
  const isOpen = (page: Page) => page.waitForFunction(() => session.state.name === 'open')
  const detached = (what: string) =>
    until(() => server.events.some((event) => event.startsWith('detached')), what)

  test('P31 under a strict Content-Security-Policy, without eval; a reference put anywhere asks nobody', async () => {
    const page = await open()
    const said = await page.evaluate(async () => {
      const { perspective } = session
      console.log(perspective, JSON.stringify({ perspective }))
      const awaited = await Promise.resolve(perspective)
      return [
        awaited === perspective,
        await perspective.echo({ at: new Date(5), n: 3n }),
        violations,
      ] as const
    })
    assert.equal(said[0], true)
    assert.deepEqual(said[1], { at: new Date(5), n: 3n })
    assert.deepEqual(said[2], [])
    await page.evaluate(() => session.logout())
    // The policy is really there.
    await page.goto(`${origin}/forbidden`)
    await page.waitForFunction(() => document.title === 'EvalError')
    await page.close()
  })

  test('in a worker: calls both ways, and back after a loss', async () => {
    const page = await context.newPage()
    await page.goto(`${origin}/boss`)
    await page.waitForFunction(() => heard.length === 1)
    await page.evaluate(() => {
      own.postMessage('hello')
    })
    await page.waitForFunction(() => heard.length === 2)
    assert.deepEqual(await page.evaluate(() => heard), ['ready', 'hello from a worker'])
    network.cut()
    await page.waitForFunction(() => heard.at(-1) === 'open')
    await page.close()
    await until(() => server.live.length === 0, 'the end of the worker')
  })

  test('door case 70: no token in storage, cookies, databases, caches or addresses', async () => {
    const page = await open()
    network.cut()
    await page.waitForFunction(() => states.at(-1) === 'open')
    const kept = await page.evaluate(async () => ({
      local: localStorage.length,
      session: sessionStorage.length,
      cookie: document.cookie,
      databases: (await indexedDB.databases()).length,
      caches: (await caches.keys()).length,
      name: window.name,
      history: JSON.stringify(history.state),
      addresses: [
        location.href,
        ...performance.getEntriesByType('resource').map(({ name }) => name),
      ].join(' '),
      global: Object.keys(globalThis).filter((key) => /token|ticket|renewal/i.test(key)).length,
    }))
    const { addresses, ...rest } = kept
    assert.doesNotMatch(addresses, /ticket-|eyJ/)
    assert.deepEqual(rest, {
      local: 0,
      session: 0,
      cookie: '',
      databases: 0,
      caches: 0,
      name: '',
      history: 'null',
      global: 0,
    })
    assert.deepEqual(await context.cookies(), [])
    await page.evaluate(() => session.logout())
    await page.close()
  })

  test('door case 67: navigated away and back: detached, kept in memory, alive again', async () => {
    const page = await open()
    for (let round = 0; round < 2; round++) {
      server.events.length = 0
      await page.goto(`${origin}/elsewhere`)
      await detached('the navigation')
      assert.deepEqual(server.events, ['detached 4001'])
      await page.goBack({ waitUntil: 'commit' })
      await page.waitForFunction((shown) => shows.length === shown, round + 2)
      assert.equal(await page.evaluate(() => shows.at(-1)), true, 'the page was kept')
      await isOpen(page)
      assert.equal(await page.evaluate(() => session.perspective.echo('well')), 'well')
      assert.deepEqual(server.events, ['detached 4001', 'attached'])
    }
    await page.evaluate(() => session.logout())
    await page.close()
  })

  test('door case 67: the tab is closed: detached at once', async () => {
    const page = await open()
    await page.close()
    await detached('the closed tab')
    assert.equal(server.live.length, 0)
  })

  test('door case 67: the browser is killed: detached at once', async () => {
    const own = await launchChromium()
    const page = await own.newPage()
    await page.goto(origin)
    await page.waitForFunction(() => document.title === 'open')
    server.events.length = 0
    const closed = new Promise((resolve) => own.once('disconnected', resolve))
    const client = await own.newBrowserCDPSession()
    await client.send('Browser.crash').catch(() => undefined)
    await closed
    await detached('the killed browser')
  })

  test('door case 68: offline and online again twenty times in ten seconds: few tries', async () => {
    const page = await open('/patient')
    await network.refuse(true)
    for (let round = 0; round < 20; round++) {
      await context.setOffline(true)
      await page.waitForTimeout(250)
      await context.setOffline(false)
      await page.waitForTimeout(250)
    }
    const tries = await page.evaluate(() => states.filter((name) => name === 'connecting').length)
    await network.refuse(false)
    assert.ok(tries <= 4, `${String(tries)} tries`)
    await page.evaluate(() => dispatchEvent(new Event('online')))
    await isOpen(page)
    await page.evaluate(() => session.logout())
    await page.close()
  })

  test('door case 68: asleep for ten minutes, and the connection is no more: back when it wakes', async () => {
    const page = await context.newPage()
    await page.clock.install()
    await page.goto(origin)
    await page.waitForFunction(() => document.title === 'open')
    network.swallow('up', 'down')
    await page.clock.fastForward('10:00')
    // The page has asked; were the network whole before, it would be answered.
    await until(() => network.isTorn, 'what the page says when it wakes')
    network.swallow()
    await page.waitForFunction(() => states.includes('waiting'))
    await isOpen(page)
    assert.equal(await page.evaluate(() => session.perspective.echo('awake')), 'awake')
    await page.evaluate(() => session.logout())
    await page.close()
  })
})
