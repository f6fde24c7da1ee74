import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { prepareDjango, type TestedDjango } from '../../tools/django/environment.js'
import { startPostgres } from '../../tools/postgres/start.js'

export const SITE: string = fileURLToPath(new URL('./site/', import.meta.url))

/** The projects of `site/`: Django's own user model, one of its own, several more, and other session settings. */
export type Settings =
  | 'example.settings'
  | 'example.member_settings'
  | 'example.session_settings'
  | 'example.club_settings'

export interface RealDjango {
  readonly pool: pg.Pool
  /** Asks `answer.py`; the functions of it are the questions. */
  ask<Answer>(name: string, args?: Record<string, unknown>): Promise<Answer>
}

type Reply = { readonly answer: unknown } | { readonly error: string }

/** Why these tests cannot run here, for node:test's `skip`; false: they can. */
export function whyNot(version: TestedDjango): string | false {
  const environment = prepareDjango(version)
  return 'missing' in environment ? environment.missing : false
}

/** Starts a Django, whose PBKDF2 has 1000 iterations, on a database of its own, with its tables made; both end after the tests of the file. */
export async function startRealDjango(
  version: TestedDjango,
  settings: Settings,
  more: NodeJS.ProcessEnv = {},
): Promise<RealDjango> {
  const environment = prepareDjango(version)
  if ('missing' in environment) throw new Error(environment.missing)
  const postgres = await startPostgres()
  const pool = new pg.Pool({ connectionString: postgres.url })
  const child = spawn(environment.python, ['answer.py'], {
    cwd: SITE,
    env: { ...djangoEnv(settings, postgres.url), QUICK_HASHERS: '1', ...more },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  after(async () => {
    child.stdin.end()
    await exited
    await pool.end()
    await postgres.stop()
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let last: Promise<unknown> = Promise.resolve()
  const django: RealDjango = {
    pool,
    ask<Answer>(name: string, args: Record<string, unknown> = {}): Promise<Answer> {
      // One at a time: an answer has no name.
      const answered = last.then(async () => {
        child.stdin.write(`${JSON.stringify({ name, arguments: args })}\n`)
        const line: IteratorResult<string, unknown> = await lines.next()
        if (line.done === true) throw new Error(`Django ended before it answered ${name}`)
        const reply = JSON.parse(line.value) as Reply
        if ('error' in reply) throw new Error(`${name}: ${reply.error}`)
        return reply.answer as Answer
      })
      last = answered.catch(() => undefined)
      return answered
    },
  }
  await django.ask('migrate')
  return django
}

export function djangoEnv(settings: Settings, url: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    DJANGO_SETTINGS_MODULE: settings,
    DATABASE_URL: url,
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONIOENCODING: 'utf-8',
  }
}
