// The long run of test/property/frames.test.ts: a million frames, on a seed of its own each time, which it prints.
//
//   npm run fuzz
//   FUZZ_SEED=5 FUZZ_FRAMES=50000 npm run fuzz

import { spawnSync } from 'node:child_process'
import { projectFolder } from './install.mjs'

const env = {
  FUZZ_FRAMES: '1000000',
  FUZZ_SEED: String(Date.now() % 2 ** 31),
  ...process.env,
}
const args = ['tools/test.mjs', 'test/property/frames.test.ts', '--test-timeout=3600000']
const result = spawnSync(process.execPath, args, { cwd: projectFolder, env, stdio: 'inherit' })
process.exitCode = result.status ?? 1
