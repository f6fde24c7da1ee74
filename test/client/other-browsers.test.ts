// The served client in Firefox and in WebKit. The page logs in by itself; then its server asks its mind what it can do.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Remote } from 'fastify-perspective/broker'
import { type Network, startNetwork } from '../support/network.js'
import { type OpenBrowser, listOtherBrowsers } from '../support/other-browsers.js'
import { DoorServer } from './door-server.js'
import { until } from './pages.js'

interface Mind {
  browser(): string
  echo(value: unknown): unknown
  answer(ask: (text: string) => string): string
  count(to: number): number[]
  logout(): void
}

const script = `
  import { login } from '/client.js'
  const mind = {
    browser: () => navigator.userAgent,
    echo: (value) => value,
    answer: async (ask) => (await ask('from the page')) + '!',
    async count(to) {
      const counted = []
      for await (const n of session.perspective.count(to)) {
        counted.push(n)
        if (n === to) break
      }
      return counted
    },
    logout: () => { void session.logout() },
  }
  const reconnect = { minDelayMs: 5, maxDelayMs: 50 }
  const session = await login('/perspective', { username: '1', password: 'good' }, { mind, reconnect })
`

const values = {
  date: new Date(5),
  numbers: [NaN, -0, Infinity, 12345678901234567890n],
  missing: undefined,
  map: new Map<unknown, unknown>([
    [1, new Set(['x'])],
    ['text', 'ä€😀'],
  ]),
  bytes: [new Uint8Array([1, 2, 3]), new Float64Array([0.5]), new Uint8Array(70_000).fill(7)],
  data: JSON.parse('{"__proto__": 1, "constructor": 2}') as unknown,
}

for (const other of listOtherBrowsers()) {
  describe(`in ${other.name}`, { skip: other.skip }, () => {
    let server: DoorServer
    let network: Network
    let browser: OpenBrowser
    const mind = (): Remote<Mind> => server.newest.broker.root as Remote<Mind>

    before(async () => {
      const client = readFileSync(new URL('../../dist/client.min.js', import.meta.url), 'utf8')
      server = await DoorServer.start({
        headers: {
          'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'",
        },
        files: {
          '/': ['text/html', '<!doctype html><script type="module" src="/page.js"></script>'],
          '/page.js': ['text/javascript', script],
          '/client.js': ['text/javascript', client],
        },
      })
      network = await startNetwork(server.port)
      browser = await other.open(`http://127.0.0.1:${String(network.port)}/`)
      await until(() => server.live.length === 1, 'the page', 60_000)
    })
    after(async () => {
      await browser.close()
      await network.close()
      await server.close()
    })

    test('is that browser', async () => {
      assert.match(
        await mind().browser(),
        other.name === 'Firefox' ? /Firefox\// : /AppleWebKit\/.*Safari/,
      )
    })

    test('values of every kind, there and back', async () => {
      assert.deepEqual(await mind().echo(values), values)
    })

    test('a function of the server is called by the page, and its stream read to where it stops', async () => {
      assert.equal(await mind().answer((text) => `heard ${text}`), 'heard from the page!')
      assert.deepEqual(await mind().count(5), [1, 2, 3, 4, 5])
      await until(() => server.newest.broker.stats.streams === 0, 'the end of the stream')
    })

    test('it is back after a loss, and detached when it has logged out', async () => {
      const before = server.newest
      network.cut()
      await until(() => server.newest !== before && server.live.length === 1, 'the page again')
      assert.equal(await mind().echo('again'), 'again')
      // Its answer may be lost with the connection.
      mind()
        .logout()
        .catch(() => undefined)
      await until(() => server.live.length === 0, 'the logout')
      assert.deepEqual(server.events, ['attached', 'detached 1006', 'attached', 'detached 1000'])
    })
  })
}
