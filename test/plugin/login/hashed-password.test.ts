// A password that is proved and not sent: { type: 'hashed-password' }.
import assert from 'node:assert/strict'
import { createSecretKey, pbkdf2Sync } from 'node:crypto'
import { describe, test } from 'node:test'
import { login } from 'fastify-perspective/client'
import { DjangoUsers } from 'fastify-perspective/django'
import { clientProof } from '../../../dist/plugin/django/hashed-password.js'
import { WebSocket } from 'ws'
import { prove } from '../../../dist/client/hashed-password.js'
import { RequestError } from '../../../dist/client/errors.js'
import { DjangoChecker } from '../../../dist/plugin/portal/django-checker.js'
import { HashedPasswordChecker } from '../../../dist/plugin/portal/hashed-password-checker.js'
import { startDjango } from '../django/start-django.js'
import {
  type Answer,
  SECRET,
  type TestApp,
  type TestContract,
  WIDE,
  ask,
  optionsFor,
  postLogin,
  startApp,
} from '../start-app.js'

const { pool } = await startDjango()
const encode = (password: string, salt: string, iterations: number): string =>
  `pbkdf2_sha256$${String(iterations)}$${salt}$${pbkdf2Sync(password, salt, iterations, 32, 'sha256').toString('base64')}`
const setHash = (username: string, encoded: string) =>
  pool.query('UPDATE auth_user SET password = $2 WHERE username = $1', [username, encoded])
await setHash('fast1', encode('lètmein', 'seasaltseasaltseasalt2', 100_000))
await setHash('fast2', 'argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q')
await setHash('mallory', encode('man in the middle', 'saltsaltsaltsaltsalt22', 100_000))

const allow = { allowPasswordEquivalentHashes: true, passwordIterations: 100_000 } as const
const app = await startApp(optionsFor(pool, allow))

const challengeFor = (username: unknown, at: TestApp = app): Promise<Answer> =>
  ask(`${at.url}/challenge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username }),
  })
const saltOf = async (username: string, at: TestApp = app): Promise<string> =>
  (JSON.parse((await challengeFor(username, at)).body) as { salt: string }).salt
/** What the page would send; `askedFor` is whom it says that it is at first. */
const answerOf = async (
  username: string,
  password: string,
  askedFor: string = username,
): Promise<Record<string, unknown>> => {
  const asked = async (): Promise<Record<string, unknown>> => ({
    ...(JSON.parse((await challengeFor(askedFor)).body) as Record<string, unknown>),
    salt: await saltOf(username),
  })
  const credentials = { type: 'hashed-password', username, password } as const
  return (await prove(credentials, asked, RequestError)) as Record<string, unknown>
}

// V.scram_sha_256: made by Python's hmac and hashlib from a hash of Django's.
const VECTOR = {
  password: 'lètmein',
  salt: 'seasaltseasaltseasalt2',
  iterations: 260_000,
  saltedPassword: '4Dz7ZRT04K8kJ7/7Aufp5oznKTKoxlRolXltPCU+YkQ=',
  message:
    'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
    's=c2Vhc2FsdHNlYXNhbHRzZWFzYWx0Mg==,i=260000,' +
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  proof: 'oGO9/OgwnhkkC+t2HywKFMPTTW9YQQQvlTDOmnboJlM=',
}

describe('the proof of a hashed password', () => {
  test('is SCRAM’s, on both sides (case 77)', async () => {
    const { salt, iterations, message: challenge, proof, saltedPassword, password } = VECTOR
    assert.equal(
      clientProof(Buffer.from(saltedPassword, 'base64'), challenge).toString('base64'),
      proof,
    )
    const credentials = { type: 'hashed-password', username: 'user', password } as const
    const algorithm = 'pbkdf2_sha256'
    const given = async () => ({ challenge, salt, iterations, algorithm })
    const made = (await prove(credentials, given, RequestError)) as { proof: string }
    assert.deepEqual(Buffer.from(made.proof, 'base64url'), Buffer.from(proof, 'base64'))
    assert.doesNotMatch(JSON.stringify(made), /lètmein/)
  })

  test('lets its user in, who is Django’s', async () => {
    const session = await login<TestContract>(
      app.url,
      { type: 'hashed-password', username: ' fast1', password: 'lètmein' },
      { WebSocket },
    )
    assert.deepEqual(session.user, { id: '6', username: 'fast1' })
    assert.equal(await session.perspective.whoAmI(), 'fast1')
    assert.equal(app.app.perspective.sessions.of(6).length, 1)
    await session.logout()
    assert.equal((await postLogin(app, { username: 'fast1', password: 'lètmein' })).status, 200)
  })

  test('is refused alike for every cause, replayed among them (door case 76)', async () => {
    const good = await answerOf('fast1', 'lètmein')
    assert.equal((await postLogin(app, good)).status, 200)
    const fresh = async (): Promise<Record<string, unknown>> => answerOf('fast1', 'lètmein')
    const challengeOf = async (username: string): Promise<string> =>
      (JSON.parse((await challengeFor(username)).body) as { challenge: string }).challenge
    const longer = await fresh()
    const tampered = String(longer['challenge']).replace(/\.\d+\./, '.9999999999999.')
    const bodies = [
      good,
      await answerOf('fast1', 'wrong'),
      await answerOf('fast1', 'lètmein', 'nobody'),
      await answerOf('fast2', 'secret'),
      await answerOf('fast3', 'fast password 3'),
      await answerOf('nobody', 'x'),
      await answerOf('nopass', 'x'),
      await answerOf('mallory', 'man in the middle'),
      await answerOf('x'.repeat(200), 'x'),
      { ...(await fresh()), username: 'fast3' },
      { ...(await fresh()), challenge: await challengeOf('fast3') },
      { ...(await fresh()), proof: '' },
      { ...longer, challenge: tampered },
      ...['', '.', '..', '...', 'x.y.z'].map((challenge) => ({ ...good, challenge })),
    ]
    const answers = []
    for (const body of bodies) {
      const { status, headers, body: text } = await postLogin(app, body)
      delete headers.date
      answers.push({ status, headers, body: text })
    }
    const [first] = answers
    assert.equal(first?.status, 401)
    assert.match(first.body, /PB_ERR_LOGIN_REJECTED/)
    for (const [index, answer] of answers.entries()) assert.deepEqual(answer, first, String(index))
  })

  test('uses its challenge up, also where it is wrong', async () => {
    const wrong = await answerOf('fast1', 'wrong')
    assert.equal((await postLogin(app, wrong)).status, 401)
    const { challenge } = wrong
    const asked = async () => ({
      challenge,
      salt: await saltOf('fast1'),
      iterations: 100_000,
      algorithm: 'pbkdf2_sha256',
    })
    const right = await prove(
      { type: 'hashed-password', username: 'fast1', password: 'lètmein' },
      asked,
      RequestError,
    )
    assert.equal((await postLogin(app, right)).status, 401)
  })

  test('is too late after 60 seconds (door case 76)', async () => {
    let now = Date.now()
    const users = new DjangoUsers(pool)
    const checker = new HashedPasswordChecker(users, new DjangoChecker(users, {}), {
      saltKey: createSecretKey(Buffer.alloc(32, 1)),
      iterations: 100_000,
      hashers: ['pbkdf2_sha256'],
      now: () => now,
    })
    for (const [after, isIn] of [
      [59_000, true],
      [61_000, false],
    ] as const) {
      const asked = async () => ({ ...(await checker.challenge('fast1')) })
      const credentials = {
        type: 'hashed-password',
        username: 'fast1',
        password: 'lètmein',
      } as const
      const answer = (await prove(credentials, asked, RequestError)) as { type: string }
      now += after
      assert.equal((await checker.check(answer))?.user.username, isIn ? 'fast1' : undefined)
    }
  })

  test('any other form is 400', async () => {
    const good = await answerOf('fast1', 'lètmein')
    const { proof, ...without } = good
    for (const body of [
      ...[without, { ...good, password: 'x' }, { ...good, proof: 5 }, { ...good, challenge: null }],
      ...[5, null, 'x'.repeat(255), 'a\0', '\ud800'].map((username) => ({ ...good, username })),
    ]) {
      assert.equal((await postLogin(app, body)).status, 400, JSON.stringify(body))
    }
    for (const username of [5, null, undefined, {}, 'x'.repeat(255), 'a\0']) {
      assert.equal((await challengeFor(username)).status, 400, JSON.stringify(username))
    }
    assert.equal(typeof proof, 'string')
  })
})

describe('POST <prefix>/challenge', () => {
  test('has one form for everybody, real or not (door case 76)', async () => {
    const answers = []
    for (const name of ['fast1', 'fast2', 'fast3', 'nobody', 'nopass', 'mallory', '', "' OR 1=1"]) {
      const { status, headers, body } = await challengeFor(name)
      const { challenge, salt, iterations, ...rest } = JSON.parse(body) as Record<string, unknown>
      assert.match(String(challenge), /^[\w-]{22}\.\d{13}\.[\w-]{43}$/, name)
      assert.match(String(salt), /^[A-Za-z0-9]{22}$/, name)
      assert.equal(iterations, 100_000)
      delete headers.date
      answers.push({ status, headers, rest })
    }
    const [first] = answers
    assert.deepEqual(first?.rest, { algorithm: 'pbkdf2_sha256' })
    assert.equal(first.headers['cache-control'], 'no-store')
    for (const answer of answers) assert.deepEqual(answer, first)
    assert.equal(await saltOf('fast1'), 'seasaltseasaltseasalt2')
  })

  test('salts are the same over a restart and a change of keys (door case 76, door hole 35)', async () => {
    const next = 'the secret after it, and long enough for HS256'
    const salts = async (options: object): Promise<string[]> => {
      const other = await startApp(optionsFor(pool, { ...allow, ...options }))
      const found = await Promise.all(
        ['nobody', 'fast1', 'fast2', 'ｎobody ', 'other'].map((name) => saltOf(name, other)),
      )
      await other.close()
      return found
    }
    const first = await salts({})
    assert.equal(first[0], await saltOf('nobody'))
    assert.equal(first[0], first[3], 'names that are one for Django have one salt')
    assert.notEqual(first[0], first[4])
    assert.deepEqual(await salts({ ticket: { secret: [next, SECRET] } }), first)
    const own = { allowPasswordEquivalentHashes: { saltSecret: 'x'.repeat(32) } }
    const before = await salts(own)
    assert.notEqual(before[0], first[0])
    assert.deepEqual(await salts({ ...own, ticket: { secret: next } }), before)
  })

  test('is not there without the option, nor is its module', async () => {
    const closed = await startApp(optionsFor(pool))
    assert.equal((await challengeFor('fast1', closed)).status, 404)
    assert.equal((await ask(`${closed.url}/hashed-password.js`)).status, 404)
    const answer = await answerOf('fast1', 'lètmein')
    assert.equal((await postLogin(closed, answer)).status, 400)
    const { status, headers } = await ask(`${app.url}/hashed-password.js`)
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/javascript; charset=utf-8')
  })

  test('counts addresses, and guesses at an account with those of its password', async () => {
    const rateLimits = { ...WIDE, addressPerMinute: 3, accountPer5Minutes: 2 }
    const limited = await startApp(optionsFor(pool, { ...allow, rateLimits }))
    const statuses = []
    for (let n = 0; n < 4; n++) statuses.push((await challengeFor('fast1', limited)).status)
    assert.deepEqual(statuses, [200, 200, 200, 429])
    const body = { type: 'hashed-password', username: 'fast1', challenge: 'x', proof: 'x' }
    assert.equal((await postLogin(limited, body)).status, 401)
    assert.equal((await postLogin(limited, { username: 'fast1', password: 'x' })).status, 401)
    assert.equal((await postLogin(limited, body)).status, 429)
  })
})

test('the page answers no challenge that is too cheap or too dear (door case 76)', async () => {
  const challenge = { challenge: 'x', salt: 'salt', algorithm: 'pbkdf2_sha256' }
  const changes = [
    ...[1, 99_999, 10_000_001, 1e9, Infinity, NaN, '100000', undefined].map((iterations) => ({
      iterations,
    })),
    { iterations: 100_000, algorithm: 'pbkdf2_sha1' },
    { iterations: 100_000, salt: 5 },
  ]
  for (const change of changes) {
    const sent: string[] = []
    const fetch = async (url: string): Promise<Response> => {
      sent.push(url)
      return Response.json({ ...challenge, ...change })
    }
    await assert.rejects(
      login(
        'http://localhost/perspective',
        { type: 'hashed-password', username: 'ada', password: 'x' },
        { WebSocket, fetch: fetch as never },
      ),
      { name: 'RequestError', code: 'PB_ERR_CLIENT_CHALLENGE' },
    )
    assert.deepEqual(sent, ['http://localhost/perspective/challenge'])
  }
  for (const password of ['', 'x\0', '\ud800']) {
    const credentials = { type: 'hashed-password', username: 'fast1', password } as const
    await assert.rejects(login(app.url, credentials, { WebSocket }), {
      code: 'PB_ERR_CLIENT_CHALLENGE',
    })
  }
})
