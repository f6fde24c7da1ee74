// What is remembered of renewal tokens: how much, for how long, and what a password that we write anew changes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Binding } from '../../../dist/plugin/ticket/binding.js'
import { Families } from '../../../dist/plugin/ticket/families.js'
import { readSecrets } from '../../../dist/plugin/ticket/keys.js'
import { Renewals } from '../../../dist/plugin/ticket/renewal.js'
import { SECRET } from '../start-app.js'

let time = 1_000_000_000
const now = (): number => time
const token = (fam: string, jti: string, sub = '6') => ({
  ...{ fam, jti, sub, chk: 'django', ver: 'v', iat: time / 1000 },
})

describe('families of renewal tokens', () => {
  test('are forgotten when no token of theirs can be good any more; so is that one has ended', () => {
    const families = new Families(now, 1000)
    const early = token('early', 'a')
    families.begin(early)
    families.begin(token('dead', 'b'))
    families.revoke('dead')
    time += 500
    families.begin(token('late', 'c'))
    assert.equal(families.size, 2)
    time += 600
    families.begin(token('new', 'd'))
    assert.equal(families.size, 2)
    assert.equal(families.present(token('early', 'z')), 'current', 'it was remembered')
    assert.equal(
      families.present(token('dead', 'b')),
      'current',
      'its tokens have expired long ago',
    )
  })

  test('are bounded; the one that was not heard of for longest goes first, and is taken as its token says again', () => {
    const families = new Families(now, 1e9)
    families.begin(token('kept', 'k'))
    for (let n = 0; n < 200_000; n++) {
      families.begin(token(`f${String(n)}`, 'x', String(n)))
      if (n === 100_000) assert.equal(families.present(token('kept', 'k')), 'current')
    }
    assert.ok(families.size <= 200_000)
    assert.equal(families.present(token('kept', 'y')), 'reused')
    assert.equal(families.present(token('f0', 'y', '0')), 'current')
    assert.equal(families.present(token('f0', 'x', '0')), 'reused')
  })

  test('a token of another user in a known family is none', () => {
    const families = new Families(now, 1000)
    families.begin(token('f', 'a', '6'))
    assert.equal(families.present(token('f', 'a', '7')), 'dead')
    assert.equal(families.present(token('f', 'a', '6')), 'current')
  })

  test('one that was disconnected is dead though it is not known; one that began later is not', () => {
    const families = new Families(now, 1000)
    const before = token('unknown', 'a')
    time += 10
    families.revokeUser('django:6')
    assert.equal(families.present(before), 'dead')
    time += 10
    assert.equal(families.present(token('later', 'a')), 'current')
    assert.equal(families.present({ ...before, sub: '7' }), 'current', 'another user')
  })

  test('a token that is told again before it is kept is one; the one before lives until then', () => {
    const families = new Families(now, 1000)
    families.begin(token('f', 'a'))
    families.offer('f', 'b')
    families.offer('f', 'b')
    assert.equal(families.present(token('f', 'a')), 'current')
    assert.ok(families.isCurrent(token('f', 'a')) && !families.isCurrent(token('f', 'b')))
    families.kept('f', 'b')
    families.kept('f', 'b')
    assert.equal(families.present(token('f', 'b')), 'current')
    assert.equal(families.present(token('f', 'a')), 'reused')
    assert.equal(families.present(token('f', 'b')), 'dead')
  })
})

test('a password that we write anew ends no family of its user; one that somebody else writes does (door case 53)', async () => {
  const keys = readSecrets(SECRET)
  const binding = new Binding(keys.binding)
  const renewals = new Renewals({
    ...{ keys, binding, lifetimeSeconds: 60, maxAgeSeconds: 600 },
    ...{ issuer: 'i', audience: 'a', now },
  })
  const account = (password: string, id = '6') => ({
    ...{ checker: 'django', binding: password },
    user: { id, isActive: true } as never,
  })
  const [begun, other] = [
    await renewals.begin(account('old'), ''),
    await renewals.begin(account('old', '7'), ''),
  ]
  const claims = await renewals.verify(begun.token)
  const theirs = await renewals.verify(other.token)
  assert.ok(claims !== null && theirs !== null)
  assert.ok(renewals.isBound(claims, account('old')) && !renewals.isBound(claims, account('new')))
  renewals.rebind(account('wrong'), account('new'))
  assert.ok(renewals.isBound(claims, account('old')), 'it was not bound to that')
  renewals.rebind(account('old'), account('new'))
  assert.ok(renewals.isBound(claims, account('new')))
  assert.ok(!renewals.isBound(claims, account('by somebody else')))
  assert.ok(renewals.isBound(theirs, account('old', '7')), 'another user with the same text')
  const next = await renewals.next(account('old'), '', begun.lineage, 'next')
  const later = await renewals.verify(next?.token ?? '')
  assert.equal(later?.ver, binding.bind(account('new')), 'tokens to come are bound to the new one')
})
