import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf, soak } from './soak.js'

test('twenty seconds of everything leave nothing behind', { timeout: 150_000 }, async () => {
  const report = await soak(20, 12)
  console.log(JSON.stringify({ ...report, heap: report.heap.map((size) => Math.round(size)) }))
  assert.deepEqual(problemsOf(report), [])
})
