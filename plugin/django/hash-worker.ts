import { pbkdf2Sync } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { parentPort } from 'node:worker_threads'
import type { Derivation } from './hash-pool.js'

parentPort?.on('message', ({ password, salt, iterations }: Derivation) => {
  const startedAt = performance.now()
  const key = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  parentPort?.postMessage({ key, durationMs: performance.now() - startedAt })
})
