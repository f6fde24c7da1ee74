// What the launchers of the demos do alike: ports, builds that are stale, the table of accounts. Without it each of them
// would do it in a way of its own. Only node: imports, because it is loaded before the install.

import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { runOrExit } from './install.mjs'

/** The port that the environment names, else the default; ends the process where it is none. */
export function readPort(name, standard) {
  const text = process.env[name] ?? String(standard)
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port
  return fail(`${name}: expected a number from 1 to 65535, got ${JSON.stringify(text)}`)
}

/**
 * Ends the process where something listens already. Looked at first: whoever has something else at port 3000 should not
 * wait for the build to hear it.
 */
export async function refuseTakenPort(port, hosts, failAsTaken) {
  for (const host of hosts) {
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

export function buildPackage() {
  if (!isStale('dist/client.min.js', ['broker', 'client', 'plugin'])) return
  console.log('Building the package ...')
  runOrExit('npm', ['run', '--silent', 'build'])
}

/** Whether a built file is missing, or older than what it is made of: files, or folders with all that is in them. */
export function isStale(output, inputs) {
  const builtAt = statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const isNewer = (path) => {
    const entry = statSync(path)
    if (entry.mtimeMs > builtAt) return true
    return entry.isDirectory() && readdirSync(path).some((name) => isNewer(`${path}/${name}`))
  }
  return inputs.some(isNewer)
}

export function printAccounts(accounts) {
  const cells = accounts.map(({ username, password, note }) => [username, password, note])
  const rows = [['user', 'password', ''], ...cells]
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)))
  for (const [user, password, note] of rows) {
    console.log(`  ${user.padEnd(widths[0])}   ${password.padEnd(widths[1])}   ${note}`.trimEnd())
  }
}

/** Runs `stop` once when the process is asked to end: Ctrl-C comes twice, from the terminal and passed on by npm. */
export function stopOnSignals(stop) {
  let stopping
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => (stopping ??= stop()))
}

export function fail(message) {
  console.error(message)
  process.exit(1)
}
