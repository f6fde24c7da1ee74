// Requests at random, well formed and not, at the routes that take anything from anybody. Each is answered or its connection
// ended; none is a 5xx of ours, none leaves a slot, a socket or an unhandled rejection behind. `npm run fuzz` is the long run.
import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { describe, test } from 'node:test'
import { SECRET_KEY } from '../plugin/django/django-session.js'
import { startDjango } from '../plugin/django/start-django.js'
import { PAGE, optionsFor, startApp, ticketOf, until } from '../plugin/start-app.js'
import { makeRandom } from './mutator.js'

const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 1500)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)
const random = makeRandom(SEED)

const { pool } = await startDjango()
const app = await startApp(optionsFor(pool, { djangoSessions: { secretKeys: [SECRET_KEY] } }))

const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T
const times = (most: number, make: () => string): string =>
  Array.from({ length: random(most + 1) }, make).join('')
const junk = (): string =>
  times(12, () =>
    pick([
      'a',
      '1',
      '%00',
      '../',
      "'",
      '"',
      '\\',
      '\u00e9',
      '\ud83d\ude00',
      ' ',
      '\t',
      '$',
      ';',
      ',',
      '=',
      '<',
      '{',
    ]),
  )

const JSON_PARTS = [
  ...[
    'null',
    '1e999',
    '-0',
    '""',
    '[]',
    '{}',
    'true',
    '"\\u0000"',
    '"\\ud800"',
    '"__proto__"',
    '{"a":',
    '[[[[',
    '\ufeff',
  ],
  ...['{"username":"fast1","password":"fast password 1"}', '{"username":"fast1","password":"x"}'],
  ...[
    '{"type":"session"}',
    '{"expect":"6"}',
    '{"__proto__":{"username":"a"}}',
    '{"type":"anonymous"}',
  ],
]

let ticket = ''
const offers: readonly (() => string)[] = [
  () => `perspective.v1, ticket.${ticket}`,
  () => `ticket.${ticket}`,
  () => `perspective.v1, ticket.${ticket}, ticket.${ticket}`,
  () => `perspective.v1, ticket.${flip(ticket)}`,
  () => `perspective.v${String(random(3))}, ticket.${junk()}`,
  () => 'x'.repeat(random(9000)),
  () => times(200, () => ','),
]

function flip(text: string): string {
  const at = random(text.length)
  return text.slice(0, at) + pick(['.', 'A', '=', '%', '']) + text.slice(at + 1)
}

const headers: readonly (() => string)[] = [
  () => `origin: ${pick([PAGE, 'null', '*', junk(), `${PAGE}, ${PAGE}`])}`,
  () =>
    `content-type: ${pick(['application/json', 'application/json; charset=latin1', 'text/plain', junk(), ';', 'a/b;'.repeat(300)])}`,
  () =>
    `content-length: ${pick(['0', '5', '-1', '1e3', '99999999999', String(random(200)), junk()])}`,
  () => `transfer-encoding: ${pick(['chunked', 'gzip, chunked', 'identity', junk()])}`,
  () => `content-encoding: ${pick(['gzip', 'br', 'identity'])}`,
  () => `expect: ${pick(['100-continue', junk()])}`,
  () =>
    `connection: ${pick(['Upgrade', 'close', 'keep-alive, Upgrade', 'upgrade, close', junk()])}`,
  () => `upgrade: ${pick(['websocket', 'WebSocket', 'h2c', 'websocket, h2c', junk()])}`,
  () => `sec-websocket-version: ${pick(['13', '8', '013', junk()])}`,
  () => `sec-websocket-key: ${pick(['dGhlIHNhbXBsZSBub25jZQ==', '', junk()])}`,
  () =>
    `sec-websocket-extensions: ${pick(['permessage-deflate', 'permessage-deflate; server_max_window_bits=99', junk()])}`,
  () => `sec-websocket-protocol: ${pick(offers)()}`,
  () =>
    `cookie: sessionid=${pick(['x', junk(), '0123456789abcdef', times(40, () => 'sessionid=a; ')])}`,
  () => `x-forwarded-for: ${pick(['1.2.3.4', '::1', '[::1]:99', junk(), 'unknown, 1.2.3.4'])}`,
  () => `if-none-match: ${pick(['*', '"x"', 'W/"x"', times(300, () => ',')])}`,
  () => `host: ${pick(['x', '', junk()])}`,
  () => `${pick(['a', '__proto__', 'constructor', 'a b', ':'])}: ${junk()}`,
]

/** A good upgrade, whose headers the others may spoil. */
const UPGRADE = [
  ...['connection: Upgrade', 'upgrade: websocket', 'sec-websocket-version: 13'],
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** Nearly always the one; else any of the others. */
const mostly = (usual: string, others: readonly string[]): string =>
  random(15) > 0 ? usual : pick(others)

const PATHS = [
  ...['/perspective/login', '/perspective/login', '/perspective/ticket', '/perspective/client.js'],
  ...['/perspective/socket', '/perspective/socket', '/perspective/socket', '/perspective/%6cogin'],
  ...['/perspective/renew', '/perspective/logout'],
]

function makeRequest(): string {
  const path = mostly(pick(PATHS), ['*', '', '/', `/perspective/${junk()}`, `/${junk()}`])
  const isSocket = path.endsWith('socket')
  const method = mostly(isSocket || path.endsWith('js') ? 'GET' : 'POST', [
    ...['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'TRACE', 'get', 'CONNECT', 'M-SEARCH', junk()],
  ])
  const body = pick([
    () => pick(JSON_PARTS),
    () => pick(JSON_PARTS),
    () => times(6, () => pick(JSON_PARTS)),
    () => flip(JSON_PARTS[13] ?? ''),
    () => mostly('', ['x'.repeat(random(20_000))]),
  ])()
  const all = [`host: x`, `origin: ${PAGE}`]
  if (isSocket) all.push(...UPGRADE, `sec-websocket-protocol: ${pick([...offers, offers[0]!])()}`)
  else
    all.push(`content-length: ${String(Buffer.byteLength(body))}`, 'content-type: application/json')
  if (random(8) === 0) all.splice(random(all.length), 1)
  if (random(3) === 0) all.splice(random(all.length + 1), 0, pick(headers)())
  const end = mostly('\r\n', ['\n', '\r\n ', '\r'])
  const version = mostly('HTTP/1.1', ['HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 x', ''])
  const text = `${method} ${path} ${version}\r\n${all.join(end)}\r\n\r\n${isSocket ? '' : body}`
  return random(20) === 0 ? text.slice(0, random(text.length)) : text
}

/** Sends one and hangs up when it is answered, or says nothing more; the statuses that came. */
async function send(text: string): Promise<{ statuses: number[]; head: string }> {
  const socket = createConnection(app.port, '127.0.0.1')
  let answer = ''
  const closed = new Promise<void>((resolve) =>
    socket.on('close', () => {
      resolve()
    }),
  )
  socket.on('error', () => undefined)
  socket.on('data', (data) => {
    answer += data.toString('latin1')
    if (answer.includes('\r\n\r\n')) socket.end()
  })
  socket.write(text)
  // What is cut short, or announces more than it sends, waits for the rest.
  const timer = setTimeout(() => socket.destroy(), 400)
  await closed
  clearTimeout(timer)
  return {
    statuses: [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)),
    head: answer.slice(0, 300),
  }
}

describe('requests', () => {
  test(
    `${String(REQUESTS)} at random: answered or ended, no 5xx, nothing left behind`,
    { timeout: 3_600_000 },
    async () => {
      const unhandled: unknown[] = []
      const onUnhandled = (error: unknown): void => void unhandled.push(error)
      process.on('unhandledRejection', onUnhandled)
      const counts = new Map<number, number>()
      let done = 0
      ticket = await ticketOf(app, 1, { origin: PAGE })
      const lanes = Array.from({ length: 12 }, async () => {
        while (done < REQUESTS) {
          done += 1
          if (random(10) === 0) ticket = await ticketOf(app, 1, { origin: PAGE })
          const text = makeRequest()
          const { statuses, head } = await send(text)
          for (const status of statuses) {
            counts.set(status, (counts.get(status) ?? 0) + 1)
            const isOurs = status < 500 || status === 503 || status === 505
            assert.ok(
              isOurs,
              `seed ${String(SEED)}: ${JSON.stringify(text.slice(0, 2000))}\n${head}`,
            )
          }
        }
      })
      await Promise.all(lanes)
      process.off('unhandledRejection', onUnhandled)
      const shown = [...counts].sort(([one], [other]) => one - other)
      console.log(`seed ${String(SEED)}: ${shown.map((entry) => entry.join(' x ')).join(', ')}`)
      assert.deepEqual(unhandled, [])
      // It got as far as each of these, or it tests nothing.
      for (const status of [101, 200, 400, 401, 403, 404, 413, 415])
        assert.ok(counts.has(status), String(status))
      await until(() => app.slots() === 0 && app.app.perspective.sessions.count === 0, 'slots')
      const bad = app.logs.filter((line) => (JSON.parse(line) as { level: number }).level >= 50)
      assert.deepEqual(bad, [])
      assert.doesNotMatch(app.logs.join(''), /fast password|eyJ/)
      assert.equal((await ticketOf(app, 1)).split('.').length, 3)
    },
  )
})
