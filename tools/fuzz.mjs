// The long runs of test/property/frames.test.ts and requests.test.ts: a million frames and a hundred thousand requests, on a
// seed of its own each time, which they print.
//
//   npm run fuzz                                       both
//   npm run fuzz -- frames                             one of them: frames, requests
//   FUZZ_SEED=5 FUZZ_FRAMES=50000 npm run fuzz -- frames

import { spawnSync } from 'node:child_process'
import { projectFolder } from './install.mjs'

const kinds = ['frames', 'requests']
const chosen = process.argv.slice(2)
const unknown = chosen.filter((kind) => !kinds.includes(kind))
if (unknown.length > 0) {
  console.error(`Expected some of ${kinds.join(', ')}, got ${unknown.join(', ')}`)
  process.exit(1)
}
const env = {
  FUZZ_FRAMES: '1000000',
  FUZZ_REQUESTS: '100000',
  FUZZ_SEED: String(Date.now() % 2 ** 31),
  ...process.env,
}
const files = (chosen.length === 0 ? kinds : chosen).map((kind) => `test/property/${kind}.test.ts`)
const args = ['tools/test.mjs', ...files, '--test-timeout=3600000']
const result = spawnSync(process.execPath, args, { cwd: projectFolder, env, stdio: 'inherit' })
process.exitCode = result.status ?? 1
