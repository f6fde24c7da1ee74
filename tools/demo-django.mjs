/* global fetch */
// Runs the page that Django renders: a PostgreSQL, a real Django (its login page, its admin, one page of a template) and,
// beside it, the live service, where Django's session cookie is enough to come in.
//
//   npm run demo:django                                  Django at port 8000, the service at 3000
//   DJANGO_PORT=8001 PORT=3001 npm run demo:django       at other ports
//
// Needs Python 3.10; Django comes into an environment of its own. Ctrl-C ends everything.

import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import {
  buildPackage,
  fail,
  printAccounts,
  readPort,
  refuseTakenPort,
  stopOnSignals,
} from './demo-steps.mjs'
import { installDependencies, projectFolder } from './install.mjs'

// One host for both: a cookie is for a host, whatever the port.
const HOST = '127.0.0.1'

process.chdir(projectFolder)
const ports = { DJANGO_PORT: readPort('DJANGO_PORT', 8000), PORT: readPort('PORT', 3000) }
for (const [name, port] of Object.entries(ports))
  await refuseTakenPort(port, [HOST], () =>
    fail(`Port ${port} is taken. Choose another: ${name}=${port + 1} npm run demo:django`),
  )
installDependencies()
const { register } = await import('tsx/esm/api')
register()

const origin = `http://${HOST}:${ports.DJANGO_PORT}`
const python = await findDjango()
buildPackage()
const { ACCOUNTS } = await import('./postgres/accounts.ts')
const accounts = [
  { ...accountOf('ada'), note: 'administrator: the admin, too' },
  { ...accountOf('linus'), note: 'member: the page only' },
]

console.log('Starting PostgreSQL ...')
const { startPostgres } = await import('./postgres/start.ts')
const postgres = await startPostgres()
const secretKey = randomBytes(48).toString('base64url')
console.log('Django makes its tables ...')
let django
let live
try {
  manage('migrate', '--verbosity=0')
  manage('shell', '--verbosity=0', '--command', createUsers())
  const { startLive } = await import('../demo/django/live.ts')
  live = await startLive({
    database: postgres.url,
    secretKey,
    ticketSecret: randomBytes(32).toString('base64url'),
    origin,
    port: ports.PORT,
  })
  django = await startDjango()
} catch (error) {
  await stop()
  throw error
}
stopOnSignals(stop)
printWelcome()

async function findDjango() {
  const { prepareDjango } = await import('./django/environment.ts')
  console.log('Looking for Django; the first time it is installed, below node_modules ...')
  const environment = prepareDjango('5.2')
  if ('missing' in environment) fail(`The page that Django renders ${environment.missing}`)
  return environment.python
}

function accountOf(username) {
  return ACCOUNTS.find((account) => account.username === username)
}

function djangoProcess(args) {
  return [
    python,
    ['manage.py', ...args],
    {
      cwd: 'demo/django',
      env: {
        ...process.env,
        DATABASE_URL: postgres.url,
        SECRET_KEY: secretKey,
        LIVE_URL: `http://${HOST}:${ports.PORT}/perspective`,
        PYTHONDONTWRITEBYTECODE: '1',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  ]
}

/** @throws Error - it failed; it has said why. */
function manage(...args) {
  const { status } = spawnSync(...djangoProcess(args))
  if (status !== 0) throw new Error(`manage.py ${args[0]}: expected exit code 0, got ${status}`)
}

function createUsers() {
  const [admin, member] = accounts.map(({ username, password }) =>
    // The texts of JSON are those of Python.
    [username, password].map((text) => JSON.stringify(text)),
  )
  return [
    'from django.contrib.auth.models import User',
    `User.objects.create_superuser(${admin[0]}, password=${admin[1]})`,
    `User.objects.create_user(${member[0]}, password=${member[1]})`,
  ].join('\n')
}

/** @throws Error - it ended before it answered; it has said why. */
async function startDjango() {
  const child = spawn(...djangoProcess(['runserver', '--noreload', `${HOST}:${ports.DJANGO_PORT}`]))
  const exited = once(child, 'exit')
  const server = {
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
  while (child.exitCode === null && child.signalCode === null) {
    const isUp = await fetch(`${origin}/login/`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return server
    await setTimeout(100)
  }
  throw new Error('manage.py runserver: expected it to answer, and it ended')
}

function printWelcome() {
  console.log(`\n  Django's page is at     ${origin}/`)
  console.log(`  Django's admin is at    ${origin}/admin/`)
  console.log(`  The live service is at  http://${HOST}:${ports.PORT}/perspective\n`)
  printAccounts(accounts)
  console.log(
    '\n  Log in on Django’s page, and log out in another tab; or switch linus off in the admin.',
  )
  console.log('  Ctrl-C ends everything.\n')
}

async function stop() {
  console.log('\nStopping ...')
  await live?.close()
  await django?.stop()
  await postgres.stop()
  console.log('Stopped.')
}
