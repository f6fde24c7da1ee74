/** The client's process, and the order of things. */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { listContenders } from './contenders/index.js'
import { HELP, type Options, readOptions } from './options.js'
import { type Report, type RowReport, makeReport, printReport, reportRow } from './report.js'
import { measureRow } from './rounds.js'
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
  const baseline = options.baseline === null ? null : resolve(options.baseline)
  const contenders = (await listContenders(baseline)).filter(
    ({ name }) => options.contenders.length === 0 || options.contenders.includes(name),
  )
  const rows = ROWS.filter(({ name }) => options.only.length === 0 || options.only.includes(name))
  const server = await startServer(baseline)
  try {
    const reports: RowReport[] = []
    for (const row of rows) {
      console.log(`measuring: ${row.title} ...`)
      const rates = measureRow(row, contenders, server.ports, options)
      reports.push(reportRow(row, await Promise.race([rates, server.failed])))
    }
    return makeReport(reports, options)
  } finally {
    await server.stop()
  }
}
