/** The client's process, and the order of things. */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listContenders } from './contenders/index.js'
import { HELP, type Options, readOptions } from './options.js'
import { pluginRows } from './plugin/rows.js'
import { startSite } from './plugin/site.js'
import { type Report, type RowReport, makeReport, printReport, reportRow } from './report.js'
import { measureRounds, measureRow } from './rounds.js'
import { ROWS } from './rows.js'
import { startServer } from './server-process.js'

/** @returns The exit code; whether a bar is reached does not change it. */
export async function main(args: string[]): Promise<number> {
  let options: Options
  try {
    options = readOptions(args)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
  if (options.help) {
    console.log(HELP)
    return 0
  }
  try {
    const report = await run(options)
    console.log(`\n${printReport(report)}`)
    if (options.json !== null) {
      await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`)
    }
    return 0
  } catch (error) {
    console.error(error)
    return 1
  }
}

async function run(options: Options): Promise<Report> {
  return makeReport([...(await measureCalls(options)), ...(await measurePlugin(options))], options)
}

async function measureCalls(options: Options): Promise<RowReport[]> {
  const rows = ROWS.filter(({ name }) => isWanted(name, options.only))
  if (rows.length === 0) return []
  const baseline = options.baseline === null ? null : resolve(options.baseline)
  const contenders = (await listContenders(baseline)).filter(({ name }) =>
    isWanted(name, options.contenders),
  )
  const script = fileURLToPath(new URL('server.ts', import.meta.url))
  const server = await startServer(script, baseline === null ? [] : [baseline])
  try {
    const reports: RowReport[] = []
    for (const row of rows) {
      console.log(`measuring: ${row.title} ...`)
      const rates = measureRow(row, contenders, server.ports, options)
      reports.push(reportRow(row, await Promise.race([rates, server.failed])))
    }
    return reports
  } finally {
    await server.stop()
  }
}

async function measurePlugin({ only, scale, seconds, rounds }: Options): Promise<RowReport[]> {
  const rows = pluginRows(scale, seconds).filter(({ name }) => isWanted(name, only))
  if (rows.length === 0) return []
  const { site, stop } = await startSite()
  try {
    const reports: RowReport[] = []
    for (const row of rows) {
      console.log(`measuring: ${row.title} ...`)
      const running = await row.start(site)
      if ('skipped' in running) {
        console.log(`skipped: ${row.title}: ${running.skipped}`)
        continue
      }
      const rates = measureRounds(running.measures, rounds)
      reports.push(reportRow(row, await Promise.race([rates, site.server.failed])))
      await running.end?.()
    }
    return reports
  } finally {
    await stop()
  }
}

function isWanted(name: string, wanted: readonly string[]): boolean {
  return wanted.length === 0 || wanted.includes(name)
}
