// Runs the demo: installs and builds what is missing, starts a PostgreSQL with Django's tables, then
// the server of demo/, and says where it is and who can log in. Without it a visitor would need a
// database, a Django project and three commands to see anything. Only node: imports before the install.
//
//   npm run demo                               http://localhost:3000, with a database of its own
//   PORT=4000 npm run demo                     on another port
//   DATABASE_URL=postgres://… npm run demo     beside an existing Django project: its users log in
//
// Ctrl-C ends the server, every session and the database.

import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync } from 'node:fs'
import {
  buildPackage,
  fail,
  isStale,
  printAccounts,
  readPort,
  refuseTakenPort,
  stopOnSignals,
} from './demo-steps.mjs'
import { installDependencies, projectFolder, runOrExit } from './install.mjs'

const { DATABASE_URL, TICKET_SECRET } = process.env

process.chdir(projectFolder)
const port = readPort('PORT', 3000)
// Both addresses, because a browser may take either for localhost.
await refuseTakenPort(port, ['127.0.0.1', '::1'], failAsTaken)
installDependencies()
buildPackage()
buildPage()

const { register } = await import('tsx/esm/api')
register()
const database = await openDatabase()
const app = await startApp()
stopOnSignals(stop)
printWelcome()

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
    printAccounts(database.accounts)
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
