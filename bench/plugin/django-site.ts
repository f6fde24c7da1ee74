/** Django's own login view under gunicorn, on the database of the site: what people have today. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request, type Agent } from 'node:http'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { GUNICORN, prepareDjango } from '../../tools/django/environment.js'
import { fail } from './site.js'

export interface DjangoSite {
  /** One login by the form, as a browser sends it; throws for any other answer than the redirect after success. */
  login(credentials: { username: string; password: string }, agent: Agent): Promise<void>
  stop(): Promise<void>
}

/** Any 32 letters and digits: cookie and form have to agree. */
const CSRF = 'csrfTokenOfABenchmark00000000000'

/** Starts it with a worker for each core; or says why it cannot be had here. */
export async function startDjangoSite(
  databaseUrl: string,
): Promise<DjangoSite | { readonly missing: string }> {
  const environment = prepareDjango('5.2', [GUNICORN])
  if ('missing' in environment) return environment
  const workers = String(availableParallelism())
  const child = spawn(
    environment.python,
    [
      ...['-m', 'gunicorn', '--bind', '127.0.0.1:0', '--workers', workers, '--log-level', 'info'],
      'django_site:application',
    ],
    {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: { ...process.env, DATABASE_URL: databaseUrl, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const exited = once(child, 'exit')
  // A run that fails ends without stop, and nothing here may keep it.
  child.unref()
  const end = (): void => void child.kill()
  process.once('exit', end)
  const port = await Promise.race([
    readPort(child.stderr),
    exited.then(() => fail('gunicorn to listen', 'its end')),
  ])
  return {
    login: (credentials, agent) => postForm(port, credentials, agent),
    stop: async () => {
      process.off('exit', end)
      child.ref()
      child.kill()
      await exited
    },
  }
}

/** From what it logs; the rest of that is read and dropped. */
function readPort(log: NodeJS.ReadableStream): Promise<number> {
  return new Promise((resolve) => {
    let text = ''
    log.setEncoding('utf8').on('data', (chunk: string) => {
      if (text.length < 10_000) text += chunk
      const [, port] = /Listening at: http:\/\/127\.0\.0\.1:(\d+)/.exec(text) ?? []
      if (port !== undefined) resolve(Number(port))
    })
  })
}

async function postForm(
  port: number,
  credentials: { username: string; password: string },
  agent: Agent,
): Promise<void> {
  const sent = request({
    ...{ host: '127.0.0.1', port, method: 'POST', path: '/login/', agent },
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      cookie: `csrftoken=${CSRF}`,
    },
  })
  sent.end(new URLSearchParams({ ...credentials, csrfmiddlewaretoken: CSRF }).toString())
  const [response] = (await once(sent, 'response')) as [
    NodeJS.ReadableStream & { statusCode: number },
  ]
  response.resume()
  await once(response, 'end')
  if (response.statusCode !== 302) fail('a redirect', response.statusCode)
}
