import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Connection } from '../../../dist/plugin/session/connection.js'
import { DEFAULT_SESSION_LIMITS, SessionRegistry } from '../../../dist/plugin/session/sessions.js'

test('a page that has gone before its ticket was checked is entered for nobody', () => {
  const registry = new SessionRegistry(DEFAULT_SESSION_LIMITS, Date.now)
  const connection = Connection.take(registry, { own: '127.0.0.1', site: null })
  assert.ok(connection instanceof Connection)
  // A check that waits for a busy thread pool may end after its upgrade was refused, and the socket closed.
  connection.gone()
  assert.equal(connection.enter('django', '1', ''), false)
  assert.deepEqual(registry.entries(), [])
  assert.equal(registry.slots, 0)
})
