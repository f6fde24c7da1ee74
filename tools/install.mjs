// Installs the dependencies where they are missing or are not those of the lockfile. Without it a
// fresh clone answers `npm test` and `npm run demo` with "Cannot find package". Only node: imports.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the project, with a slash at its end. */
export const projectFolder = fileURLToPath(new URL('../', import.meta.url))

/**
 * Runs `npm ci` unless node_modules holds what package-lock.json asks for.
 *
 * Ends the process with npm's exit code where that fails.
 */
export function installDependencies() {
  const reason = findStaleDependency()
  if (reason === undefined) return
  console.log(`Installing dependencies (${reason}) ...`)
  // "error": npm otherwise warns that fastify's own cookie parser would like a newer Node.
  runOrExit('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

/**
 * Runs a program in the project's folder with this terminal, and ends the process where it fails.
 *
 * @param {string} command - A name on the PATH, or a path.
 * @param {string[]} args
 */
export function runOrExit(command, args) {
  const result = spawnSync(command, args, {
    cwd: projectFolder,
    stdio: 'inherit',
    // npm is a .cmd file on Windows, which only a shell can start.
    shell: process.platform === 'win32' && command === 'npm',
  })
  if (result.error) console.error(`${command}: ${result.error.message}`)
  if (result.status !== 0) process.exit(result.status ?? 1)
}

// npm writes what it has installed into node_modules/.package-lock.json, in the form of the lockfile.
// File times would not do: git gives a checked-out lockfile the time of the checkout.
function findStaleDependency() {
  const wanted = JSON.parse(readFileSync(`${projectFolder}package-lock.json`, 'utf8')).packages
  let installed
  try {
    const text = readFileSync(`${projectFolder}node_modules/.package-lock.json`, 'utf8')
    installed = JSON.parse(text).packages
  } catch {
    return 'node_modules is missing'
  }
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue
    const version = installed[path]?.version
    if (version === entry.version) continue
    if (version === undefined && (entry.optional || entry.devOptional || entry.peer)) continue
    return `${path}: expected ${entry.version}, got ${version ?? 'none'}`
  }
  return undefined
}
