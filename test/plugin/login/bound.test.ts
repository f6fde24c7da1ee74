// What a page sends reaches PostgreSQL as bound parameters only: seen on the wire between the two.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCuttingProxy } from '../cutting-proxy.js'
import { startDjango } from '../django/start-django.js'
import { logIn, renew } from '../renewals.js'
import { optionsFor, postLogin, startApp } from '../start-app.js'

const { url } = await startDjango()
const HOSTILE = [
  ...["'; DROP TABLE auth_user; --", '$1:raw', '$1^', '${this}', '$$', "' OR 1=1 --", '\\', '"x"'],
  'x'.repeat(250),
]

/** The messages of PostgreSQL's protocol, version 3: a letter, a length, a body. */
function* messagesOf(bytes: Buffer): Generator<{ kind: string; body: string }> {
  for (let at = 0; at + 5 <= bytes.length;) {
    const length = bytes.readInt32BE(at + 1)
    const kind = String.fromCharCode(bytes[at] ?? 0)
    yield { kind, body: bytes.toString('latin1', at + 5, at + 1 + length) }
    at += 1 + length
  }
}

test('names, ids and expectations are bound, not written into a statement (door case 73)', async () => {
  const proxy = await startCuttingProxy(Number(new URL(url).port), '')
  const seen: { kind: string; body: string }[] = []
  proxy.cutAt((way, bytes) => {
    // The first message of a connection has no letter.
    if (way === 'up' && bytes.charCodeAt(0) !== 0) {
      seen.push(...messagesOf(Buffer.from(bytes, 'latin1')))
    }
    return false
  })
  const database = new URL(url)
  database.port = new URL(proxy.url).port
  const app = await startApp(optionsFor(database.href))
  const { renewal } = await logIn(app, 1)
  for (const text of HOSTILE) {
    const { status } = await postLogin(app, { username: text, password: text })
    assert.equal(status, 401, text)
    assert.equal((await renew(app, { renewal, expect: text })).status, 409, text)
  }
  for (const text of HOSTILE) {
    const named = seen.filter(({ body }) => body.includes(text))
    assert.ok(named.length > 0, `never asked for: ${text}`)
    const kinds = new Set(named.map(({ kind }) => kind))
    assert.deepEqual([...kinds], ['B'], text)
  }
  const statements = seen.filter(({ kind }) => kind === 'P' || kind === 'Q')
  const texts = new Set(statements.map(({ body }) => body))
  assert.ok(texts.size < 6, 'a statement for each name')
})
