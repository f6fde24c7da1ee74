// Runs the demo: installs and builds what is missing, starts a PostgreSQL with Django's tables, then
// the server of demo/, and says where it is and who can log in. Without it a visitor would need a
// database, a Django project and three commands to see anything. Only node: imports before the install.
//
//   npm run demo                               http://localhost:3000, with a database of its own
//   PORT=4000 npm run demo                     on another port
//   DATABASE_URL=postgres://… npm run demo     beside an existing Django project: its users log in
//
// Ctrl-C ends the server, every session and the database.

import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { installDependencies, projectFolder, runOrExit } from './install.mjs'

const { DATABASE_URL, TICKET_SECRET } = process.env

process.chdir(projectFolder)
const port = readPort()
await refuseTakenPort()
installDependencies()
buildPackage()
buildPage()

const { register } = await import('tsx/esm/api')
register()
const database = await openDatabase()
const app = await startApp()
let stopping
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // Ctrl-C comes twice: from the terminal, and passed on by npm.
  process.on(signal, () => (stopping ??= stop()))
}
printWelcome()

function readPort() {
  const text = process.env.PORT ?? '3000'
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port
  return fail(`PORT: expected a number from 1 to 65535, got ${JSON.stringify(text)}`)
}

// Looked at first: whoever has something else at port 3000 should not wait for the build to hear it. Both
// addresses, because a browser may take either for localhost.
async function refuseTakenPort() {
  for (const host of ['127.0.0.1', '::1']) {
    const probe = createServer().listen(port, host)
    try {
      await once(probe, 'listening')
    } catch (error) {
      if (error.code === 'EADDRINUSE') failAsTaken()
      continue // a machine without IPv6, say
    }
    probe.close()
    await once(probe, 'close')
  }
}

function buildPackage() {
  if (!isStale('dist/client.min.js', ['broker', 'client', 'plugin'])) return
  console.log('Building the package ...')
  runOrExit('npm', ['run', '--silent', 'build'])
}

function buildPage() {
  const own = ['index.html', 'vite.config.ts', 'public', 'src'].map((name) => `demo/page/${name}`)
  if (!isStale('demo/page/dist/index.html', [...own, 'demo/contract.ts', 'dist/client.min.js']))
    return
  console.log('Building the page ...')
  const vite = 'node_modules/vite/bin/vite.js'
  // Beside the old one and then in its place: another launcher may be building, or serving it.
  const folder = `dist/page-${process.pid}`
  runOrExit(process.execPath, [
    vite,
    'build',
    'demo/page',
    '--logLevel=warn',
    '--outDir',
    `../../${folder}`,
  ])
  rmSync('demo/page/dist', { recursive: true, force: true })
  renameSync(folder, 'demo/page/dist')
}

/** Whether a built file is missing, or older than what it is made of: files, or folders with all that is in them. */
function isStale(output, inputs) {
  const builtAt = statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const isNewer = (path) => {
    const entry = statSync(path)
    if (entry.mtimeMs > builtAt) return true
    return entry.isDirectory() && readdirSync(path).some((name) => isNewer(`${path}/${name}`))
  }
  return inputs.some(isNewer)
}

async function openDatabase() {
  if (DATABASE_URL) return { url: DATABASE_URL, accounts: [], stop: async () => undefined }
  const { loadDjango, startPostgres } = await import('./postgres/start.ts')
  const { DEMO_ACCOUNTS } = await import('../demo/accounts.ts')
  console.log('Starting PostgreSQL ...')
  const postgres = await startPostgres()
  await loadDjango(postgres.url)
  const { Client } = await import('pg').then((module) => module.default)
  const client = new Client({ connectionString: postgres.url })
  await client.connect()
  await client.query(readFileSync('demo/board.sql', 'utf8'))
  await client.end()
  return { url: postgres.url, accounts: DEMO_ACCOUNTS, stop: () => postgres.stop() }
}

async function startApp() {
  const { startServer } = await import('../demo/server.ts')
  try {
    return await startServer({
      database: database.url,
      port,
      ticketSecret: TICKET_SECRET || randomBytes(32).toString('base64url'),
      accounts: database.accounts,
    })
  } catch (error) {
    await database.stop()
    if (error.code === 'EADDRINUSE') failAsTaken()
    throw error
  }
}

function printWelcome() {
  console.log(`\n  Perspective is at http://localhost:${port}\n`)
  if (DATABASE_URL) {
    console.log('  The users of the database at DATABASE_URL log in with their Django passwords.')
  } else {
    const cells = database.accounts.map((account) => [
      account.username,
      account.password,
      account.note,
    ])
    const rows = [['user', 'password', ''], ...cells]
    const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)))
    for (const [user, password, note] of rows) {
      console.log(`  ${user.padEnd(widths[0])}   ${password.padEnd(widths[1])}   ${note}`.trimEnd())
    }
  }
  console.log(
    '\n  Log in as several of them, each in a window of its own. Ctrl-C ends everything.\n',
  )
}

async function stop() {
  console.log('\nStopping ...')
  await app.close()
  await database.stop()
  console.log('Stopped.')
}

function failAsTaken() {
  const other = port === 65535 ? 3000 : port + 1
  fail(`Port ${port} is taken. Choose another: PORT=${other} npm run demo`)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
