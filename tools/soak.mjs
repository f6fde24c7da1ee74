// Logins, calls both ways, references, streams, mirrors, goodbyes and cut connections, for minutes, on a real PostgreSQL, as
// fast as the machine goes; then looks for what was left. Without it a leak of a few bytes a session would be found in
// production. A run of 20 seconds is in the tests.
//
//   npm run soak                                10 minutes, 24 pages at once
//   npm run soak -- --minutes 5 --pages 50

import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { installDependencies, projectFolder, runOrExit } from './install.mjs'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    pages: { type: 'string', default: '24' },
  },
})
for (const [name, value] of Object.entries(values)) {
  if (Number(value) > 0) continue
  console.error(`--${name}: expected a number above 0, got ${value}`)
  process.exit(1)
}
process.chdir(projectFolder)
installDependencies()
runOrExit('npm', ['run', '--silent', 'build'])
const args = ['--import', 'tsx', 'test/soak/main.ts', values.minutes, values.pages]
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1
