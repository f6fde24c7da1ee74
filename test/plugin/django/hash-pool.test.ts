import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { PasswordQueueFullError, checkPassword } from 'fastify-perspective/django'
import { HashPool, hashPool } from '../../../dist/plugin/django/hash-pool.js'
import type { Pbkdf2Recipe } from '../../../dist/plugin/django/hashers/hasher.js'

function derivationOf(
  salt: string,
  iterations: number,
): {
  password: string
  recipe: Pbkdf2Recipe
} {
  const recipe = { kind: 'pbkdf2', digest: 'sha256', inner: null, salt, iterations } as const
  return { password: 'pässword', recipe }
}

const derivation = derivationOf('salt', 1000)
const slow = derivationOf('salt', 300_000)
// node:crypto throws for it, inside the thread, which ends it.
const deadly = derivationOf('salt', -1)

const keyOf = ({ password, recipe: { salt, iterations } }: typeof derivation): string =>
  pbkdf2Sync(password, salt, iterations, 32, 'sha256').toString('hex')
const toHex = (key: Uint8Array): string => Buffer.from(key).toString('hex')

describe('HashPool', () => {
  test('derives the key that node:crypto derives', async () => {
    const pool = new HashPool(1, 0)
    assert.equal(toHex(await pool.derive(derivation)), keyOf(derivation))
  })

  test('answers each derivation with its own key', async () => {
    const pool = new HashPool(2, 10)
    const all = Array.from({ length: 12 }, (_, index) => derivationOf(`s${String(index)}`, 1000))
    const keys = await Promise.all(all.map((one) => pool.derive(one)))
    assert.deepEqual(keys.map(toHex), all.map(keyOf))
  })

  test('takes maxWaiting beyond those that run, and refuses the next', async () => {
    const pool = new HashPool(1, 2)
    const taken = [pool.derive(slow), pool.derive(derivation), pool.derive(derivation)]
    await assert.rejects(pool.derive(derivation), (error: PasswordQueueFullError) => {
      assert.ok(error instanceof PasswordQueueFullError)
      assert.equal(error.code, 'PB_ERR_LOGIN_BUSY')
      assert.equal(error.message, 'expected at most 2 waiting password checks, got one more')
      assert.ok(Number.isInteger(error.retryAfterSeconds) && error.retryAfterSeconds >= 1)
      return true
    })
    assert.equal((await Promise.all(taken)).length, 3)
    assert.equal(toHex(await pool.derive(derivation)), keyOf(derivation))
  })

  test('frees the place of a derivation that is aborted while it waits', async () => {
    const pool = new HashPool(1, 1)
    const controller = new AbortController()
    const running = pool.derive(slow)
    const waiting = pool.derive(derivation, { signal: controller.signal })
    await assert.rejects(pool.derive(derivation), PasswordQueueFullError)
    const reason = new Error('the page has gone')
    controller.abort(reason)
    await assert.rejects(waiting, reason)
    assert.equal(toHex(await pool.derive(derivation)), keyOf(derivation))
    assert.equal(toHex(await running), keyOf(slow))
  })

  test('lets a derivation that runs come to its end', async () => {
    const pool = new HashPool(1, 1)
    const controller = new AbortController()
    const running = pool.derive(slow, { signal: controller.signal })
    controller.abort()
    assert.equal(toHex(await running), keyOf(slow))
  })

  test('sources take turns, each in its own order (door hole 27)', async () => {
    const pool = new HashPool(1, 10)
    const done: string[] = []
    const ask = async (source: string, name: string): Promise<void> => {
      await pool.derive(derivation, { source })
      done.push(name)
    }
    const running = pool.derive(slow)
    await Promise.all([
      ...['a1', 'a2', 'a3'].map((name) => ask('a', name)),
      ...['b1', 'b2'].map((name) => ask('b', name)),
      ask('c', 'c1'),
    ])
    await running
    assert.deepEqual(done, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  })

  test('where the queue is full the source that has most in it makes room for others (door hole 27)', async () => {
    const pool = new HashPool(1, 4)
    const running = pool.derive(slow)
    const ask = (source: string): Promise<string> =>
      pool.derive(derivation, { source }).then(
        () => 'done',
        (error: unknown) => (error as { code: string }).code,
      )
    const greedy = [ask('a'), ask('a'), ask('a'), ask('a')]
    const others = [ask('b'), ask('c')]
    // They are as many as those of `a` now: nobody gives way for a second of `b`, nor for another of `a`.
    const late = [ask('b'), ask('a')]
    const full = 'PB_ERR_LOGIN_BUSY'
    assert.deepEqual(await Promise.all(greedy), ['done', 'done', full, full])
    assert.deepEqual(await Promise.all(others), ['done', 'done'])
    assert.deepEqual(await Promise.all(late), [full, full])
    await running
  })

  test('rejects what was running in a thread that ends, and goes on with a new one', async () => {
    const pool = new HashPool(1, 5)
    const results = await Promise.allSettled([
      pool.derive(deadly),
      pool.derive(derivation),
      pool.derive(deadly),
    ])
    assert.deepEqual(
      results.map((result) => result.status),
      ['rejected', 'fulfilled', 'rejected'],
    )
    await assert.rejects(pool.derive(deadly), {
      name: 'PasswordWorkerError',
      code: 'PB_ERR_LOGIN_WORKER',
    })
    assert.equal(toHex(await pool.derive(derivation)), keyOf(derivation))
  })
})

describe('the pool of the process', () => {
  test('sheds a storm of checks instead of queueing it', async () => {
    const encoded = `pbkdf2_sha256$60000$salt$${'A'.repeat(43)}=`
    const size = availableParallelism() + 32 + 10
    const results = await Promise.allSettled(
      Array.from({ length: size }, () => checkPassword('x', encoded)),
    )
    const refused = results.filter((result) => result.status === 'rejected')
    assert.equal(refused.length, 10)
    for (const { reason } of refused) assert.ok(reason instanceof PasswordQueueFullError)
    assert.equal(toHex(await hashPool.derive(derivation)), keyOf(derivation))
  })
})
