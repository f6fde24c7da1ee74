/**
 * Owns one PostgreSQL on behalf of the process that forked it. Without it a process that is killed, or that calls
 * process.exit(), leaves its database server and a temporary directory behind: the keeper sees the channel to that
 * process close, whatever the cause, stops the server and cleans up.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'

const { native, directory, port, isTemporary, logFile } = JSON.parse(process.argv[2])
const cluster = join(directory, 'cluster')
const passwordFile = join(directory, 'password')
let log = ''
let server
let initdb
let isStopping = false

process.once('disconnect', () => {
  isStopping = true
  initdb?.kill()
  // Immediate shutdown where nothing is kept, fast shutdown (no open transaction is waited for) where data stays.
  server?.kill(isTemporary ? 'SIGQUIT' : 'SIGINT')
})

try {
  const account = unprivilegedAccount()
  mkdirSync(directory, { recursive: true })
  if (account.uid !== undefined) chownSync(directory, account.uid, account.gid)
  const binaries = runnableBinaries(account)
  if (!existsSync(join(cluster, 'PG_VERSION'))) await initialise(binaries, account)
  if (!isStopping) await serve(binaries, account)
} catch (error) {
  log += String(error)
}
if (isTemporary) rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
// A server that had been ready has nobody left to tell; one that never was says why.
if (process.connected) process.send({ ready: false, log }, () => process.disconnect())

/** PostgreSQL refuses to run as root; `nobody` is there on a machine that has no `postgres`. */
function unprivilegedAccount() {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => {
      const answer = spawnSync('id', [flag, name], { encoding: 'utf8' })
      return answer.status === 0 ? Number(answer.stdout) : undefined
    })
    if (uid !== undefined && gid !== undefined) return { uid, gid }
  }
  throw new Error(
    'running as root, and there is neither an account "postgres" nor an account "nobody"',
  )
}

/**
 * The binaries where npm has put them, or a copy of them where that does not work: below a home directory the
 * unprivileged account may not look, and npm may have skipped the install script that links the libraries.
 */
function runnableBinaries(account) {
  const isRunnable = (bin) => spawnSync(join(bin, 'postgres'), ['--version'], account).status === 0
  const installed = join(native, 'bin')
  if (isRunnable(installed)) return installed
  const copy = join(directory, 'native')
  if (!existsSync(copy)) {
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
    const links = join(copy, 'pg-symlinks.json')
    for (const { source, target } of existsSync(links)
      ? JSON.parse(readFileSync(links, 'utf8'))
      : []) {
      const link = join(directory, target)
      if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link)
    }
    if (process.platform !== 'win32') execFileSync('chmod', ['-R', 'a+rX,u+x', join(copy, 'bin')])
  }
  if (!isRunnable(join(copy, 'bin')))
    throw new Error(`${join(copy, 'bin', 'postgres')} does not run here`)
  return join(copy, 'bin')
}

async function initialise(binaries, account) {
  writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 })
  if (account.uid !== undefined) chownSync(passwordFile, account.uid, account.gid)
  const flags = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  initdb = spawn(
    join(binaries, 'initdb'),
    [`--pgdata=${cluster}`, ...flags, '--encoding=UTF8', '--no-locale', '--no-sync'],
    { ...account, cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  initdb.stderr.on('data', remember)
  const [code] = await once(initdb, 'close')
  if (code !== 0 && !isStopping) throw new Error(`initdb ended with code ${code}`)
}

async function serve(binaries, account) {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    logging_collector: 'off',
  }
  if (isTemporary)
    Object.assign(settings, { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' })
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  server = spawn(join(binaries, 'postgres'), ['-D', cluster, ...flags], {
    ...account,
    cwd: directory,
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let isReady = false
  server.stderr.on('data', (chunk) => {
    remember(chunk)
    if (isReady || isStopping || !log.includes('ready to accept connections')) return
    isReady = true
    process.send({ ready: true, password: readFileSync(passwordFile, 'utf8') })
  })
  await once(server, 'close')
}

function remember(chunk) {
  log = (log + String(chunk)).slice(-4000)
  if (logFile !== undefined) appendFileSync(logFile, chunk)
}
