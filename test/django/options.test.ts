import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  authenticate,
  DjangoUsers,
  type HasherName,
  type PasswordCosts,
  type UserModel,
} from 'fastify-perspective/django'
import type { DjangoSessionsOption } from 'fastify-perspective'
import { makeOptions } from '../../dist/command/options.js'
import { prepareDjango, type TestedDjango } from '../../tools/django/environment.js'
import { postTicket } from '../plugin/login/post-ticket.js'
import { optionsFor, startApp, type TestApp } from '../plugin/start-app.js'
import { djangoEnv, SITE, startRealDjango, whyNot, type Settings } from './real-django.js'

/** Of the project in `site/`. */
const SECRET_KEYS = ['the key of a project in a test', 'the key it had before']
const REFERENCES = ['process.env.SECRET_KEY', 'process.env.SECRET_KEY_FALLBACK_1']

interface Printed {
  readonly djangoSessions?: DjangoSessionsOption
  readonly users?: UserModel
  readonly hashers?: readonly HasherName[]
  readonly passwordIterations?: number
  readonly passwordCosts?: PasswordCosts
}

const MAIN = fileURLToPath(new URL('../../dist/command/main.js', import.meta.url))

function runCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): { stdout: string; stderr: string; status: number | null } {
  const child = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env })
  return { stdout: child.stdout, stderr: child.stderr, status: child.status }
}

function printOptions(
  version: TestedDjango,
  settings: Settings,
  args: readonly string[] = [],
  more: NodeJS.ProcessEnv = {},
): { printed: Printed; notes: string } {
  const environment = prepareDjango(version)
  assert.ok('python' in environment)
  const { python } = environment
  // No database is there: none is asked.
  const env = { ...djangoEnv(settings, 'postgres://nobody:nothing@127.0.0.1:1/none'), ...more }
  const all = ['django-options', ...args, '--python', python, join(SITE, 'manage.py')]
  const { stdout, stderr, status } = runCommand(all, env)
  assert.equal(status, 0, stderr)
  for (const key of SECRET_KEYS) assert.ok(!`${stdout}${stderr}`.includes(key), 'a key is printed')
  return { printed: JSON.parse(stdout) as Printed, notes: stderr }
}

for (const version of ['4.2', '5.2'] as const) {
  const skip = whyNot(version)
  describe(`django-options with Django ${version}`, { skip }, () => {
    if (skip !== false) return

    test("says nothing that is Django's and the plugin's default", () => {
      const { printed, notes } = printOptions(version, 'example.settings')
      assert.equal(printed.users, undefined)
      assert.ok(printed.hashers?.includes('md5'))
      assert.equal(printed.passwordIterations, version === '4.2' ? 600_000 : undefined)
      const scrypt = { workFactor: 16384, blockSize: 8, parallelism: 1 }
      assert.deepEqual(printed.passwordCosts, version === '4.2' ? { scrypt } : undefined)
      assert.ok(notes.startsWith(`Django ${version}.`))
    })

    test('says in words that a site needs none', () => {
      const { python } = prepareDjango(version) as { python: string }
      const urls = { DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:1/none', LIVE_URL: '/' }
      const manage = fileURLToPath(new URL('../../demo/django/manage.py', import.meta.url))
      const { stdout, stderr } = runCommand(['django-options', '--python', python, manage], {
        ...process.env,
        ...urls,
        SECRET_KEY: 'a key',
      })
      // 4.2 hashes with fewer iterations.
      assert.equal(stdout === '{}\n', version !== '4.2', stdout)
      assert.equal(/^no option is needed/m.test(stderr), version !== '4.2', stderr)
    })

    test('describes a model of its own, so that its users log in here as there', async () => {
      const { printed, notes } = printOptions(version, 'example.member_settings')
      assert.deepEqual(printed.users, {
        table: 'people_member',
        idColumn: 'key',
        usernameColumn: 'email',
        usernameMaxLength: 254,
        iexact: true,
        isActiveColumn: 'enabled',
        isStaffColumn: null,
        where: '"people_member"."left_at" IS NULL',
      })
      assert.match(notes, /note: argon2 is people\.hashers\.QuickArgon2PasswordHasher/)

      const django = await startRealDjango(version, 'example.member_settings')
      const { users: model, hashers, passwordCosts: costs } = printed
      const users = new DjangoUsers(django.pool, model)
      assert.ok(hashers && costs)
      const name = 'Ada@example.com'
      await django.ask('create', { name, password: 'letmein' })
      await django.ask('grant', { name, permission: 'auth.add_group', group: 'makers' })
      const credentials = { username: 'ADA@example.com', password: 'letmein' }
      const account = await authenticate(users, credentials, { hashers, costs })
      assert.equal(account?.user.username, name)
      assert.deepEqual(await users.permissionsOf(account.user.id), new Set(['auth.add_group']))
      await django.ask('change', { name, left_at: '2026-01-01T00:00:00Z' })
      assert.equal(await authenticate(users, credentials, { hashers, costs }), null)
    })

    const printUsers = (model: string): ReturnType<typeof printOptions> =>
      printOptions(version, 'example.club_settings', [], { USER_MODEL: model })

    test('describes a model in a schema of its own, whose groups and permissions are in none', () => {
      const { printed, notes } = printUsers('Client')
      assert.deepEqual(printed.users, { table: 'site.client', authSchema: null })
      assert.doesNotMatch(notes, /note:/)
      new DjangoUsers('postgres://nobody@127.0.0.1:1/none', printed.users)
    })

    for (const [model, note] of [
      ['Either', /in a way of its own.*"email".*\['Name', 'Name'\]/],
      ['Lower', /in a way of its own.*\['name'\]/],
      ['Staff', /in a way of its own.*"is_staff"/],
      ['Fixed', /in a way of its own.*None/],
    ] as const) {
      test(`says that ${model} is found by another rule, and claims none`, () => {
        const { printed, notes } = printUsers(model)
        assert.deepEqual(printed.users, { table: `clubs_${model.toLowerCase()}` })
        assert.match(notes, note)
      })
    }

    test('describes names that are numbers', () => {
      const { printed, notes } = printUsers('Phone')
      assert.equal(printed.users?.usernameColumn, 'phone')
      assert.equal(printed.users.iexact, undefined)
      assert.doesNotMatch(notes, /note: get_by/)
    })

    const printSessions = (
      engine: string,
      more: NodeJS.ProcessEnv = {},
    ): ReturnType<typeof printOptions> =>
      printOptions(version, 'example.session_settings', ['--sessions'], {
        SESSION_ENGINE: engine,
        ...more,
      })

    test('says of sessions what is not the default, and names for the keys; nothing unless asked', () => {
      assert.equal(printOptions(version, 'example.settings').printed.djangoSessions, undefined)
      const { printed } = printOptions(version, 'example.settings', ['--sessions'])
      assert.deepEqual(printed.djangoSessions, { secretKeys: REFERENCES })
    })

    for (const [engine, own] of [
      ['django.contrib.sessions.backends.cached_db', { engine: 'cached_db' }],
      [
        'django.contrib.sessions.backends.signed_cookies',
        { engine: 'signed_cookies', maxAgeSeconds: 3600 },
      ],
      ['people.plain_sessions', {}],
    ] as const) {
      test(`describes the sessions of ${engine}, so that they are read here as there`, async () => {
        const { printed, notes } = printSessions(engine)
        const { djangoSessions } = printed
        assert.ok(djangoSessions)
        assert.deepEqual(djangoSessions, {
          secretKeys: REFERENCES,
          ...own,
          cookieName: 'clubcard',
          backends: ['django.contrib.auth.backends.ModelBackend', 'people.backends.TokenBackend'],
        })
        assert.match(notes, /note: people\.backends\.PaidBackend has rules of its own/)
        const settings = 'example.session_settings'
        const django = await startRealDjango(version, settings, { SESSION_ENGINE: engine })
        const start = (option: DjangoSessionsOption): Promise<TestApp> =>
          startApp(optionsFor(django.pool, { djangoSessions: option }))
        await assert.rejects(
          start(djangoSessions),
          /expected the value of a variable, got its name/,
        )
        const app = await start({ ...djangoSessions, secretKeys: SECRET_KEYS })
        after(() => app.close())
        const [name, password] = ['ada', 'difference engine no. 1']
        await django.ask('create', { name, password })
        const key = await django.ask<string>('site_log_in', {
          browser: 'a',
          name,
          password,
          engine: null,
        })
        const { status } = await postTicket(app, { cookie: `clubcard=${key}` })
        assert.equal(status, 200)
      })
    }

    test('says which backend cannot be imported, and goes on', () => {
      const more = { ONE_MORE_BACKEND: 'people.nowhere.Backend' }
      const { printed, notes } = printSessions('django.contrib.sessions.backends.db', more)
      assert.ok(printed.djangoSessions)
      assert.match(notes, /note: people\.nowhere\.Backend cannot be imported/)
    })

    for (const [engine, problem, more] of [
      ['django.contrib.sessions.backends.cache', /only sessions in a table or in signed cookies/],
      ['django.contrib.sessions.backends.file', /only sessions in a table or in signed cookies/],
      ['people.salted_sessions', /signs sessions in a way of its own/],
      ['people.nothing', /SESSION_ENGINE people\.nothing cannot be used: ModuleNotFoundError/],
      [
        'django.contrib.sessions.backends.db',
        /SESSION_SERIALIZER is people\.salted_sessions\.Pickle; only JSON is read/,
        { SESSION_SERIALIZER: 'people.salted_sessions.Pickle' },
      ],
    ] as const) {
      test(`prints no djangoSessions, and says why: ${String(problem)} ${engine}`, () => {
        const { printed, notes } = printSessions(engine, more)
        assert.equal(printed.djangoSessions, undefined)
        assert.match(notes, new RegExp(`note: no djangoSessions: .*${problem.source}`))
      })
    }
  })
}

describe('the command', () => {
  test('says how it is used', () => {
    for (const args of [
      [],
      ['django-options'],
      ['other', 'manage.py'],
      ['--what'],
      ['django-options', 'a', 'b'],
    ]) {
      const { stdout, stderr, status } = runCommand(args)
      assert.deepEqual([stdout, status], ['', 2], args.join(' '))
      assert.match(stderr, /^Usage: fastify-perspective django-options/)
    }
    assert.match(runCommand(['--help']).stdout, /^Usage: /)
  })

  test('says what was wrong with the project, and prints no options', () => {
    const folder = mkdtempSync(join(tmpdir(), 'perspective-manage-'))
    try {
      const manage = join(folder, 'manage.py')
      const missing = runCommand(['django-options', manage])
      assert.deepEqual([missing.stdout, missing.status], ['', 1])
      assert.match(missing.stderr, /no such file/)
      writeFileSync(manage, 'raise SystemExit("there is no Django here")')
      const noPython = runCommand(['django-options', '--python', join(folder, 'none'), manage])
      assert.deepEqual([noPython.stdout, noPython.status], ['', 1])
      assert.match(noPython.stderr, /ENOENT/)
      // Any interpreter that is there ends without an answer.
      const noAnswer = runCommand(['django-options', '--python', process.execPath, manage])
      assert.deepEqual([noAnswer.stdout, noAnswer.status], ['', 1])
      assert.match(
        noAnswer.stderr,
        /no answer[^]*Activate its virtual environment, or say --python/,
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('leaves out a hasher that is not known here, and says so', () => {
    const answer = {
      django: '5.2',
      settings: 'x',
      users: { table: 'auth_user', idColumn: 'id' },
      hashers: ['pbkdf2_sha256', 'crypt', '__proto__'],
      passwordIterations: 1_000_000,
      passwordCosts: {},
      bcryptTruncate: true,
      notes: ['one'],
      sessions: { cookieName: 'sessionid', backends: [], keys: 1, problems: [], notes: [] },
    } as const
    const { options, notes } = makeOptions(answer, false)
    assert.deepEqual(options, { hashers: ['pbkdf2_sha256'], bcryptTruncate: true })
    assert.equal(notes.length, 3)
    assert.match(notes[1]!, /^no hasher crypt here/)
    const withSessions = makeOptions(answer, true)
    assert.equal(withSessions.options['djangoSessions'], undefined)
    assert.match(withSessions.notes.at(-1)!, /^no djangoSessions: no backend/)
  })
})
