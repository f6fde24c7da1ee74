// What a login here writes, read by real Django: last_login, and a hash that was written anew.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { passwordDefaults, WRITTEN_HASHERS } from 'fastify-perspective/django'
import { optionsFor, postLogin, startApp, upgrade } from '../plugin/start-app.js'
import { startRealDjango, whyNot } from './real-django.js'

for (const version of ['4.2', '5.2'] as const) {
  describe(`logins beside Django ${version}`, { skip: whyNot(version) }, async () => {
    const skip = whyNot(version)
    if (skip !== false) return
    const django = await startRealDjango(version, 'example.settings')
    const password = 'lètmein 🐍'
    const rowOf = async (name: string): Promise<string> => {
      const found = await django.pool.query<{ password: string }>(
        'SELECT password FROM auth_user WHERE username = $1',
        [name],
      )
      return found.rows[0]!.password
    }

    for (const preferred of WRITTEN_HASHERS) {
      test(`a hash written anew with ${preferred} is Django's own (cases 22, 24 to 28)`, async () => {
        const { hashers, costs } = passwordDefaults(version)
        const app = await startApp(
          optionsFor(django.pool, {
            hashers: [preferred, ...hashers.filter((name) => name !== preferred), 'md5'],
            passwordCosts: costs,
            upgradePasswords: true,
          }),
        )
        const name = `anew_${preferred}`
        const { password: old } = await django.ask<{ password: string }>('create', {
          ...{ name, password },
          hasher: preferred === 'pbkdf2_sha256' ? 'md5' : 'pbkdf2_sha256',
        })
        const before = await django.ask('check_stored', { name, password, preferred })
        assert.deepEqual(before, { right: true, must_update: true })
        await django.ask('session', { name, values: { cart: 1 } })
        const sessions = 'SELECT xmin, * FROM django_session ORDER BY session_key'
        const { rows: held } = await django.pool.query(sessions)

        const answer = await postLogin(app, { username: name, password })
        assert.equal(answer.status, 200)
        const anew = await rowOf(name)
        assert.ok(anew !== old && anew.startsWith(`${preferred}$`), anew)
        const asked = { name, password, preferred }
        assert.deepEqual(await django.ask('check_stored', asked), {
          right: true,
          must_update: false,
        })
        const wrong = { ...asked, password: `${password} ` }
        assert.equal((await django.ask<{ right: boolean }>('check_stored', wrong)).right, false)
        const { ticket } = JSON.parse(answer.body) as { ticket: string }
        const { status, socket } = await upgrade(app, ticket)
        socket.destroy()
        assert.equal(status, 101)
        // Not written again, by nobody; and what Django keeps of its own is not touched.
        assert.equal((await postLogin(app, { username: name, password })).status, 200)
        assert.equal(await rowOf(name), anew)
        assert.deepEqual((await django.pool.query(sessions)).rows, held)
      })
    }

    test('last_login is what Django reads (case 52)', async () => {
      const app = await startApp(optionsFor(django.pool))
      const name = 'somebody'
      await django.ask('create', { name, password })
      const read = async (): Promise<number | null> =>
        (await django.ask<{ lastLogin: number | null }>('describe', { name })).lastLogin
      assert.equal(await read(), null)
      const begun = await django.pool.query<{ ms: number }>(
        'SELECT (extract(epoch FROM now()) * 1000)::float8 AS ms',
      )
      assert.equal((await postLogin(app, { username: name, password: 'wrong' })).status, 401)
      assert.equal(await read(), null)
      assert.equal((await postLogin(app, { username: name, password })).status, 200)
      const here = await read()
      assert.ok(here !== null && here >= Math.floor(begun.rows[0]!.ms), String(here))
      await django.ask('session', { name, values: {} })
      assert.ok((await read())! > here, 'as by its own login')
    })
  })
}
