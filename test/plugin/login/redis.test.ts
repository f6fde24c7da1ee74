// Limits in a real Redis: shared by two servers, named in no key, and held when it goes away.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fastifyRateLimit from '@fastify/rate-limit'
import { Redis } from 'ioredis'
import { type Redis as RedisServer, startRedis, whyNoRedis } from '../../../tools/redis/start.js'
import { startDjango } from '../django/start-django.js'
import { type TestApp, WIDE, optionsFor, postLogin, startApp, upgrade } from '../start-app.js'

const skip = whyNoRedis()
const { pool } = skip === false ? await startDjango() : { pool: undefined }

function connectTo(server: RedisServer): Redis {
  const client = new Redis({
    port: server.port,
    host: '127.0.0.1',
    // As @fastify/rate-limit advises: a store that is away is no reason for a login to wait.
    connectTimeout: 500,
    maxRetriesPerRequest: 1,
  })
  client.on('error', () => undefined)
  return client
}

async function start(server: RedisServer, rateLimits: object): Promise<TestApp> {
  const redis = connectTo(server)
  const app = await startApp(optionsFor(pool, { rateLimits: { ...WIDE, ...rateLimits } }), {
    before: (instance) => instance.register(fastifyRateLimit, { global: false, redis }),
  })
  after(async () => {
    await app.close()
    redis.disconnect()
  })
  return app
}

const guess = async (app: TestApp, username = 'fast1'): Promise<number> =>
  (await postLogin(app, { username, password: 'wrong' })).status

describe('limits in a real Redis', { skip }, () => {
  test('two servers count together, logins and refused upgrades, and no key has a name', async () => {
    const server = await startRedis()
    after(() => server.stop())
    const limits = { accountPer5Minutes: 3, refusedUpgradesPerMinute: 3 }
    const [one, two] = [await start(server, limits), await start(server, limits)]
    const found = []
    for (const app of [one, two, one, two, one]) found.push(await guess(app))
    assert.deepEqual(found, [401, 401, 401, 429, 429])
    assert.equal(await guess(two, 'fast2'), 401)
    const refused = []
    for (const app of [one, two, one, two]) refused.push((await upgrade(app, 'a.b.c')).status)
    assert.deepEqual(refused, [401, 401, 401, 429])
    const client = connectTo(server)
    const keys = await client.keys('*')
    client.disconnect()
    assert.ok(keys.length >= 4, String(keys))
    assert.doesNotMatch(keys.join(' '), /fast\d|127\.0/)
  })

  test('Redis goes away and comes back: guesses are refused all the while, and logins go on', async () => {
    let server = await startRedis()
    const app = await start(server, { accountPer5Minutes: 2 })
    assert.deepEqual([await guess(app), await guess(app), await guess(app)], [401, 401, 429])
    await server.stop()
    assert.equal(await guess(app), 429)
    const credentials = { username: 'fast2', password: 'fast password 2' }
    assert.equal((await postLogin(app, credentials)).status, 200)
    assert.match(app.logs.join(''), /the rate-limit store fails; this process counts by itself/)
    server = await startRedis(server.port)
    after(() => server.stop())
    assert.equal(await guess(app), 429)
    assert.equal((await postLogin(app, { ...credentials, username: 'fast3' })).status, 401)
  })
})
