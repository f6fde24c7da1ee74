/** Asks a Django project about itself, through its own manage.py. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** What `django-options.py` prints. */
export interface ProjectAnswer {
  readonly django: string
  readonly settings: string
  readonly users: Readonly<Record<string, unknown>>
  readonly hashers: readonly string[]
  readonly passwordIterations: number | null
  readonly passwordCosts: Readonly<Record<string, unknown>>
  readonly bcryptTruncate: boolean
  /** What a person should look at. */
  readonly notes: readonly string[]
  readonly sessions: SessionsAnswer
}

/** How the project keeps its sessions. */
export interface SessionsAnswer {
  readonly engine?: string
  readonly table?: string
  readonly maxAgeSeconds?: number
  readonly cookieName: string
  /** Those whose sessions can be believed. */
  readonly backends: readonly string[]
  /** How many secret keys there are, fallbacks included. */
  readonly keys: number
  /** Why these sessions cannot be read; empty where they can. */
  readonly problems: readonly string[]
  readonly notes: readonly string[]
}

/** Says why a project could not be asked; the message is for the person at the terminal. */
export class ProjectError extends Error {}

/** Long enough for a project that imports a lot. */
const TIMEOUT_MS = 120_000

/**
 * Runs the script in the project, with `python` or the first of the active virtual environment, one beside manage.py, and
 * the one on the PATH.
 * @throws ProjectError
 */
export function askProject(managePath: string, python?: string): ProjectAnswer {
  const manage = resolve(managePath)
  if (!existsSync(manage) || !statSync(manage).isFile()) {
    throw new ProjectError(`expected the path of manage.py, got ${managePath}: no such file`)
  }
  const script = readFileSync(new URL('../../command/django-options.py', import.meta.url), 'utf8')
  const command = python ?? findPython(dirname(manage))
  // Verbosity 0: since 5.2 the shell says which models it has imported.
  const args = [basename(manage), 'shell', '--verbosity', '0', '--command', script]
  const { stdout, stderr, status, error } = spawnSync(command, args, {
    cwd: dirname(manage),
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env: { ...process.env, PYTHONIOENCODING: 'utf-8', PYTHONDONTWRITEBYTECODE: '1' },
  })
  if (error !== undefined) throw new ProjectError(`${command}: ${error.message}`)
  // The project may print what it likes while it starts.
  const line = stdout.split('\n').find((text) => text.startsWith(MARK))
  if (line === undefined) {
    throw new ProjectError(
      `${command} manage.py shell ended with ${String(status)} and no answer:\n${stderr.trim()}\n` +
        'Is this the Python that the project runs with? Activate its virtual environment, or say --python.',
    )
  }
  return JSON.parse(line.slice(MARK.length)) as ProjectAnswer
}

const MARK = 'perspective:'

function findPython(folder: string): string {
  const { VIRTUAL_ENV } = process.env
  const homes = [VIRTUAL_ENV, join(folder, '.venv'), join(folder, 'venv')]
  for (const home of homes) {
    if (home === undefined || home === '') continue
    for (const path of [join(home, 'bin', 'python'), join(home, 'Scripts', 'python.exe')]) {
      if (existsSync(path)) return path
    }
  }
  return process.platform === 'win32' ? 'python' : 'python3'
}
