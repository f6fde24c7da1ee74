// `npm run soak`: prints what was done and what was left; see tools/soak.mjs.
import { problemsOf, soak } from './soak.js'

const [minutes = '10', lanes = '24'] = process.argv.slice(2)
const report = await soak(Number(minutes) * 60, Number(lanes))
const third = Math.floor(report.heap.length / 3)
const shown = (sizes: readonly number[]): string => sizes.map((size) => size.toFixed(1)).join(' ')
console.log(`${String(report.seconds)} s, ${lanes} pages at once`)
console.log(
  `logins ${String(report.logins)}, deeds ${String(report.calls)}, ${(report.logins / report.seconds).toFixed(0)} logins/s`,
)
console.log(
  `ends: ${JSON.stringify(report.ends)}; as the server saw them: ${JSON.stringify(report.reasons)}`,
)
console.log(`attached ${String(report.attached)}, detached ${String(report.detached)}`)
console.log(`heap after collections, MiB: first third ${shown(report.heap.slice(0, third))}`)
console.log(`                             last third  ${shown(report.heap.slice(-third))}`)
console.log(`left: ${JSON.stringify(report.left)}`)
const problems = problemsOf(report)
console.log(problems.length === 0 ? 'soak: all well' : `soak: failed:\n${problems.join('\n')}`)
process.exitCode = problems.length === 0 ? 0 : 1
