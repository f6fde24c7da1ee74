#!/usr/bin/env node
/** `npx fastify-perspective django-options path/to/manage.py`: options on stdout, notes on stderr. */
import { parseArgs } from 'node:util'
import { makeOptions } from './options.js'
import { askProject, ProjectError } from './project.js'

const USAGE = `Usage: fastify-perspective django-options [--sessions] [--python <path>] <path/to/manage.py>

Asks a Django project for its user model and password settings, and prints what the plugin's
options must say, as JSON. DJANGO_SETTINGS_MODULE chooses the settings, as for manage.py.

--sessions   djangoSessions, too, for pages that log in with the site's own session cookie.
             The SECRET_KEY is not printed: names stand for it and its fallbacks.
`

process.exitCode = run(process.argv.slice(2))

function run(args: string[]): number {
  const parsed = readArgs(args)
  if (parsed === null) {
    process.stderr.write(USAGE)
    return 2
  }
  if (parsed.help) {
    process.stdout.write(USAGE)
    return 0
  }
  try {
    const answer = askProject(parsed.manage, parsed.python)
    const { options, notes } = makeOptions(answer, parsed.sessions)
    process.stderr.write(`Django ${answer.django}, ${answer.settings}\n`)
    if (Object.keys(options).length === 0) {
      process.stderr.write("no option is needed: users and hashers are Django's own\n")
    }
    for (const note of notes) process.stderr.write(`note: ${note}\n`)
    process.stdout.write(`${JSON.stringify(options, null, 2)}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof ProjectError)) throw error
    process.stderr.write(`${error.message}\n`)
    return 1
  }
}

function readArgs(
  args: string[],
):
  | { help: true }
  | { help: false; manage: string; python: string | undefined; sessions: boolean }
  | null {
  try {
    const options = {
      python: { type: 'string' },
      sessions: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    } as const
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    if (values.help === true) return { help: true }
    const [command, manage, ...rest] = positionals
    if (command !== 'django-options' || manage === undefined || rest.length > 0) return null
    return { help: false, manage, python: values.python, sessions: values.sessions }
  } catch {
    return null
  }
}
