import { performance } from 'node:perf_hooks'
import { parentPort } from 'node:worker_threads'
import type { Derivation, DerivationAnswer } from './hash-pool.js'
import { deriveKey, PackageMissing } from './hashers/derive.js'

parentPort?.on('message', (derivation: Derivation) => {
  answer(derivation).then(
    (message) => parentPort?.postMessage(message),
    // Not left to Node, whose flags may say that a rejection is only a warning: the pool would wait for ever.
    () => process.exit(1),
  )
})

async function answer({ password, recipe }: Derivation): Promise<DerivationAnswer> {
  const startedAt = performance.now()
  try {
    const key = await deriveKey(recipe, password)
    return { key, durationMs: performance.now() - startedAt }
  } catch (error) {
    if (!(error instanceof PackageMissing)) throw error
    return { missing: error.packageName, durationMs: performance.now() - startedAt }
  }
}
