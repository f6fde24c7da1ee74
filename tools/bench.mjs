// Builds what is missing and runs the benchmark in this process, so that a Ctrl-C or a profiler meets
// it and no wrapper of it. Without it the figures would be those of an old dist/.
//
//   npm run bench -- --help           the options; bench/README.md says how to read the table

import { installDependencies, projectFolder, runOrExit } from './install.mjs'

process.chdir(projectFolder)
installDependencies()
if (process.argv.includes('--no-build')) {
  process.argv.splice(process.argv.indexOf('--no-build'), 1)
} else {
  runOrExit('npm', ['run', '--silent', 'build'])
}
// tsx is not there before the installation, so it cannot be imported above.
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('../bench/main.ts')
process.exitCode = await main(process.argv.slice(2))
