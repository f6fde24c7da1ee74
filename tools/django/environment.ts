/**
 * Makes a virtual environment with a pinned Django, once, below node_modules/.cache. Without it nothing compares this
 * package with the Django it stands in for.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The oldest Django with users today that is still seen, and the newest long-term support. */
export const DJANGO_REQUIREMENTS = {
  '4.2': ['Django==4.2.30', 'psycopg[binary]==3.3.9', 'argon2-cffi==25.1.0', 'bcrypt==5.0.0'],
  '5.2': ['Django==5.2.19', 'psycopg[binary]==3.3.9', 'argon2-cffi==25.1.0', 'bcrypt==5.0.0'],
} as const

export type TestedDjango = keyof typeof DJANGO_REQUIREMENTS

/** What serves a Django site in the benchmark. */
export const GUNICORN = 'gunicorn==23.0.0'

/** The interpreter of an environment, or why there is none and what to do. */
export type DjangoEnvironment = { readonly python: string } | { readonly missing: string }

const IS_WINDOWS = process.platform === 'win32'
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/django/', import.meta.url))

/** Makes the environment where it is missing, `more` packages in it; takes half a minute then. */
export function prepareDjango(
  version: TestedDjango,
  more: readonly string[] = [],
): DjangoEnvironment {
  const python = findPython()
  if (python === null) {
    return {
      missing: 'needs Python 3.10 or newer with venv; on Debian: apt-get install python3-venv',
    }
  }
  const requirements = [...DJANGO_REQUIREMENTS[version], ...more]
  const key = createHash('sha256')
    .update(JSON.stringify([python, requirements]))
    .digest('hex')
  const folder = join(CACHE, `${version}-${key.slice(0, 12)}`)
  const interpreter = join(folder, ...(IS_WINDOWS ? ['Scripts', 'python.exe'] : ['bin', 'python']))
  if (existsSync(interpreter)) return { python: interpreter }
  mkdirSync(CACHE, { recursive: true })
  // Made aside and renamed: a run that is cut off, or another run, must not leave half of one.
  const draft = mkdtempSync(join(CACHE, 'draft-'))
  try {
    const problem =
      run(python.command, ['-m', 'venv', draft]) ??
      run(interpreter.replace(folder, draft), [
        ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
        ...requirements,
      ])
    if (problem !== null)
      return { missing: `needs ${requirements.join(' ')}; pip said: ${problem}` }
    renameSync(draft, folder)
  } catch (error) {
    if (!existsSync(interpreter)) throw error
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return { python: interpreter }
}

function findPython(): { command: string; version: string } | null {
  const code = 'import sys, venv, ensurepip; print(sys.version)'
  for (const command of ['python3', 'python']) {
    const { status, stdout } = spawnSync(command, ['-c', code], { encoding: 'utf8' })
    const minor = /^3\.(\d+)\./.exec(stdout ?? '')?.[1]
    if (status === 0 && Number(minor) >= 10) return { command, version: stdout.trim() }
  }
  return null
}

function run(command: string, args: string[]): string | null {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return null
  return (error?.message ?? (stderr || stdout)).trim().split('\n').slice(-3).join(' ')
}
