// Requests that no honest page makes: other sites' forms, upgrades that are none, frames in crumbs, what never ends.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { startDjango } from '../plugin/django/start-django.js'
import {
  PAGE,
  ask,
  events,
  openRaw,
  openWire,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
  upgrade,
  upgradeHeaders,
  upgradeText,
} from '../plugin/start-app.js'

const { pool } = await startDjango()
const app = await startApp(optionsFor(pool))
const { sessions } = app.app.perspective
beforeEach(() => (events.length = 0))
afterEach(() => until(() => app.slots() === 0 && sessions.count === 0, 'every slot'))

const GOOD = { username: 'fast1', password: 'fast password 1' }
const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0)

/** Writes bytes on a connection of their own; the status of the answer, and whether the connection has ended. */
async function write(text: string): Promise<{ status: number; text: string; ended: boolean }> {
  const wire = await openWire(app, text)
  await until(() => wire.text() !== '', 'an answer').catch(() => undefined)
  const ended = await wire.ended(2000)
  wire.socket.destroy()
  return { status: statusOf(wire.text()), text: wire.text(), ended }
}

describe('cross-site (door cases 14 and 30)', () => {
  const foreign = [
    ...['null', '*', 'https://evil.example', `${PAGE}.evil.example`, `${PAGE}:444`],
    ...[`${PAGE}, https://evil.example`, 'http://page.example', 'https://PAGE.example', `${PAGE}/`],
    ...['https://evil.example#https://page.example', 'file://', 'https://page.example.', ' '],
  ]

  test('WebSocket hijacking: with a ticket of the page itself, another origin gets 403', async () => {
    for (const origin of foreign) {
      const ticket = await ticketOf(app, 1, { origin: PAGE })
      const { status, socket } = await upgrade(app, ticket, { origin })
      socket.destroy()
      assert.equal(status, 403, origin)
      // It has not been used up by somebody else's try.
      const { status: own, socket: ownSocket } = await upgrade(app, ticket, { origin: PAGE })
      ownSocket.destroy()
      assert.equal(own, 101)
    }
  })

  test('two Origin headers are none that is listed', async () => {
    const ticket = await ticketOf(app, 1, { origin: PAGE })
    for (const second of [PAGE, 'https://evil.example']) {
      const text = upgradeText(ticket, { origin: `${PAGE}\r\norigin: ${second}` })
      assert.equal((await write(text)).status, 403)
    }
  })

  test("login CSRF: another site's forms and scripts are refused before body, count and hash", async () => {
    const json = JSON.stringify(GOOD)
    for (const [type, body] of [
      ['application/x-www-form-urlencoded', 'username=fast1&password=fast+password+1'],
      ['multipart/form-data; boundary=x', '--x\r\n\r\n--x--'],
      // A form field whose name and value make JSON of its text.
      ['text/plain', json],
      ['text/plain; application/json', json],
      ['', json],
      ['application/json, text/plain', json],
      ['text/json', json],
      ['application/json+x', json],
    ] as const) {
      const headers = type === '' ? {} : { 'content-type': type }
      const bare = await ask(`${app.url}/login`, { method: 'POST', headers, body })
      assert.equal(bare.status, 415, type)
      const crossed = await ask(`${app.url}/login`, {
        method: 'POST',
        headers: { ...headers, origin: 'https://evil.example' },
        body,
      })
      assert.equal(crossed.status, 403, type)
    }
    for (const origin of foreign) {
      const { status, headers } = await postLogin(app, GOOD, { origin })
      assert.equal(status, 403, origin)
      assert.equal(headers['access-control-allow-origin'], undefined)
      assert.equal(headers['set-cookie'], undefined)
    }
  })

  test('methods and overrides: only POST logs in', async () => {
    const query = new URLSearchParams(GOOD).toString()
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) {
      const { status, body } = await ask(`${app.url}/login?${query}`, {
        method,
        headers: { 'x-http-method-override': 'POST' },
      })
      // A preflight has no body, whatever the page wants to do afterwards.
      assert.equal(status, method === 'OPTIONS' ? 204 : 404, method)
      assert.equal(body.includes('ticket'), false)
    }
  })
})

describe('upgrades that are none', () => {
  test('h2c, several Upgrade headers, other methods and bodies: refused, and the connection ends', async () => {
    for (const [name, headers, line] of [
      ['h2c', { upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' }, undefined],
      ['h2c and websocket', { upgrade: 'h2c, websocket' }, undefined],
      ['two headers', { upgrade: 'h2c\r\nupgrade: websocket' }, undefined],
      ['the same twice', { upgrade: 'websocket\r\nupgrade: websocket' }, undefined],
      ['POST', { 'content-length': '0' }, 'POST /perspective/socket HTTP/1.1'],
      ['PUT', { 'content-length': '5' }, 'PUT /perspective/socket HTTP/1.1'],
      ['CONNECT', {}, 'CONNECT /perspective/socket HTTP/1.1'],
      ['HTTP/1.0', {}, 'GET /perspective/socket HTTP/1.0'],
      ['no key', { 'sec-websocket-key': null }, undefined],
      ['two keys', { 'sec-websocket-key': 'a\r\nsec-websocket-key: b' }, undefined],
      ['version 0', { 'sec-websocket-version': '0' }, undefined],
    ] as const) {
      const { status, text, ended } = await write(
        upgradeText(await ticketOf(app, 1), headers, line),
      )
      assert.ok(status === 0 || (status >= 400 && status < 500), `${name}: ${text.slice(0, 80)}`)
      assert.ok(ended, name)
    }
  })

  test('two lengths, and a length beside chunks: refused by the parser, nothing is taken for a second request', async () => {
    const login = JSON.stringify(GOOD)
    const hidden = `POST /perspective/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${String(login.length)}\r\n\r\n${login}`
    for (const headers of [
      'content-length: 0\r\ntransfer-encoding: chunked',
      `content-length: 0\r\ncontent-length: ${String(hidden.length)}`,
      'transfer-encoding: chunked, identity',
      'transfer-encoding: xchunked',
      'transfer-encoding : chunked',
      'content-length: +0',
    ]) {
      const { text } = await write(
        `POST /perspective/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${headers}\r\n\r\n0\r\n\r\n${hidden}`,
      )
      assert.doesNotMatch(text, /"ticket"/, headers)
      assert.equal(statusOf(text), 400, headers)
    }
  })

  test('a request behind a refused upgrade, in its packet, is not answered', async () => {
    const login = JSON.stringify(GOOD)
    const hidden = `POST /perspective/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${String(login.length)}\r\n\r\n${login}`
    const { status, text, ended } = await write(upgradeText('x.y.z') + hidden)
    assert.equal(status, 401)
    assert.doesNotMatch(text, /"ticket"/)
    assert.ok(ended)
  })

  test('an upgrade behind a request that has no answer yet: the connection ends', async () => {
    const login = JSON.stringify(GOOD)
    const first = `POST /perspective/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${String(login.length)}\r\n\r\n${login}`
    const plain = 'GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'
    for (const second of [upgradeText(await ticketOf(app, 1)), plain]) {
      // Half open, as a peer that waits for nothing: only the server's end of it counts.
      const wire = await openWire(app, first + second)
      assert.ok(await wire.ended(2000))
      wire.socket.destroy()
    }
    assert.equal(app.slots(), 0)
  })

  test('line ends in a header are no header of the answer', async () => {
    for (const evil of [
      'x\r\nset-cookie: a=b',
      'x\nset-cookie: a=b',
      'x\rset-cookie: a=b',
      'x\0',
    ]) {
      for (const name of ['origin', 'sec-websocket-protocol', 'cookie', 'user-agent']) {
        const { text } = await write(upgradeText('x.y.z', { [name]: evil }))
        assert.doesNotMatch(text, /set-cookie/i)
        assert.ok(statusOf(text) >= 400)
      }
    }
  })
})

describe('frames of a hostile client', () => {
  test('compression that is offered is not negotiated, and a compressed frame ends the session', async () => {
    const headers = {
      ...upgradeHeaders(`perspective.v1, ticket.${await ticketOf(app, 1)}`),
      'sec-websocket-extensions':
        'permessage-deflate; client_max_window_bits, x-webkit-deflate-frame',
    }
    const { status, headers: answered, socket } = await ask(`${app.url}/socket`, { headers })
    assert.equal(status, 101)
    assert.equal(answered['sec-websocket-extensions'], undefined)
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.resume()
    // FIN, RSV1, text, masked with zeros.
    socket.write(Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0x5b]))
    socket.on('end', () => socket.end())
    await closed
  })

  test('a message in crumbs: ended after so many fragments, before they are a message', async () => {
    const session = await openRaw(app, await ticketOf(app, 1))
    await session.frame('username')
    const wire = (session.socket as unknown as { _socket: { write(data: Buffer): void } })._socket
    const crumb = (opcode: number): Buffer => Buffer.from([opcode, 0x81, 0, 0, 0, 0, 0x20])
    wire.write(Buffer.concat([crumb(1), ...Array.from({ length: 5000 }, () => crumb(0))]))
    const { code } = await session.closed
    assert.ok([1008, 1009, 1002, 1006].includes(code), String(code))
    await until(() => events.includes('detached protocol'), 'detached')
  })

  test('pings whose answers nobody reads: ended, and not kept without end', async () => {
    const session = await openRaw(app, await ticketOf(app, 1))
    await session.frame('username')
    const wire = (
      session.socket as unknown as { _socket: { pause(): void; write(data: Buffer): boolean } }
    )._socket
    wire.pause()
    const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125)])
    const many = Buffer.concat(Array.from({ length: 8000 }, () => ping))
    for (let count = 0; count < 60 && sessions.count > 0; count++) {
      wire.write(many)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await until(() => sessions.count === 0, 'the end of it')
    session.socket.terminate()
  })

  test('frames without a mask, of an unknown kind, a fragment of nothing, bad UTF-8: ended, others live', async () => {
    const other = await openRaw(app, await ticketOf(app, 2))
    await other.frame('username')
    for (const bytes of [
      [0x81, 0x02, 0x5b, 0x5d],
      [0x83, 0x80, 0, 0, 0, 0],
      [0x80, 0x80, 0, 0, 0, 0],
      [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28],
      [0x89, 0xfe, 0, 126, 0, 0, 0, 0],
      [0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
    ]) {
      const session = await openRaw(app, await ticketOf(app, 1))
      await session.frame('username')
      const wire = (session.socket as unknown as { _socket: { write(data: Buffer): void } })._socket
      wire.write(Buffer.from(bytes))
      await session.closed
      await until(() => sessions.count === 1, 'its end')
    }
    other.socket.send('[[1,1,0,"whoAmI",[]]]')
    await other.frame('"fast2"]')
    other.socket.close(1000)
    await other.closed
  })
})

describe('JSON of a login', () => {
  test('prototype names, at any place: 400 or the plain 401, and no prototype is changed', async () => {
    const before = Object.getOwnPropertyNames(Object.prototype)
    for (const [body, status] of [
      ['{"__proto__":{"username":"fast1","password":"fast password 1"}}', 400],
      ['{"username":"fast1","password":"fast password 1","__proto__":{}}', 400],
      ['{"username":"fast1","password":"fast password 1","constructor":{}}', 400],
      ['{"username":{"__proto__":"fast1"},"password":"x"}', 400],
      ['{"type":"__proto__","username":"fast1","password":"x"}', 400],
      ['{"type":"constructor","username":"fast1","password":"x"}', 400],
      ['{"type":["password"],"username":"fast1","password":"x"}', 400],
      ['{"username":"__proto__","password":"constructor"}', 401],
      ['{"username":"constructor","password":"__proto__"}', 401],
      ['{"username":"fast1","username":"nobody","password":"fast password 1"}', 401],
    ] as const) {
      assert.equal((await postLogin(app, body)).status, status, body)
    }
    assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before)
    assert.equal((await postLogin(app, GOOD)).status, 200)
  })

  test('nesting as deep as a body can be: 400, no stack overflow', async () => {
    for (const body of [
      '['.repeat(4000) + ']'.repeat(4000),
      '{"username":'.repeat(600) + '1' + '}'.repeat(600),
      `{"username":"fast1","password":"x","a":${'['.repeat(3900)}${']'.repeat(3900)}}`,
    ]) {
      assert.equal((await postLogin(app, body)).status, 400)
    }
  })

  test('an answer is no larger than a small multiple of its request', async () => {
    const requests = [
      [await postLogin(app, {}), 2],
      [await postLogin(app, GOOD), JSON.stringify(GOOD).length],
      [await ask(`${app.url}/socket`), 0],
      [await upgrade(app, 'x'), 0],
    ] as const
    for (const [{ body, headers }, sent] of requests)
      assert.ok(body.length + JSON.stringify(headers).length < sent + 1500)
  })
})

describe('requests that do not end (door hole 20)', () => {
  test(
    'bodies that drip, of twenty connections: 408 for each, whatever comes meanwhile',
    { timeout: 40_000 },
    async () => {
      const head =
        'POST /perspective/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 8000\r\n\r\n{'
      const wires = await Promise.all(Array.from({ length: 20 }, () => openWire(app, head)))
      const drip = setInterval(() => {
        for (const { socket } of wires) if (socket.writable) socket.write(' ')
      }, 500)
      assert.equal((await postLogin(app, GOOD)).status, 200)
      for (const wire of wires) {
        assert.ok(await wire.ended(20_000))
        assert.equal(statusOf(wire.text()), 408)
        wire.socket.destroy()
      }
      clearInterval(drip)
    },
  )

  test(
    'bodies of requests that were refused before them: their connections end too',
    { timeout: 40_000 },
    async () => {
      const json = 'content-type: application/json'
      const wires = await Promise.all(
        [
          [403, `${json}\r\norigin: https://evil.example\r\ncontent-length: 1000`],
          [415, 'content-type: text/plain\r\ncontent-length: 1000'],
          [413, `${json}\r\ncontent-length: 100000`],
        ].map(async ([status, headers]) => {
          const head = `POST /perspective/login HTTP/1.1\r\nhost: x\r\n${String(headers)}\r\n\r\n{`
          return { status, wire: await openWire(app, head) }
        }),
      )
      for (const { status, wire } of wires) {
        await until(() => wire.text() !== '', 'an answer')
        assert.equal(statusOf(wire.text()), status)
        assert.ok(await wire.ended(20_000), String(status))
        wire.socket.destroy()
      }
    },
  )

  test('an upgrade whose head never ends takes no slot', async () => {
    const wires = await Promise.all(
      Array.from({ length: 20 }, async () =>
        openWire(app, upgradeText(await ticketOf(app, 1)).slice(0, -2)),
      ),
    )
    assert.equal(app.slots(), 0)
    for (const { socket } of wires) socket.destroy()
  })
})
