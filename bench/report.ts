/** What the benchmark says: a table to read, and the same as data. */
import { cpus } from 'node:os'
import { OURS } from './contenders/index.js'
import { sizeOf } from './load.js'
import { type Rates, median } from './rounds.js'
import type { Row } from './rows.js'

/** The Node that the bars are stated for. */
const NODE_MAJOR = 24

export interface RowReport {
  readonly row: string
  readonly title: string
  /** Length of one value's JSON, or bytes. */
  readonly valueSize: number
  /** Medians of the rounds. */
  readonly callsPerSecond: Readonly<Record<string, number>>
  /** Ours to each other contender: the median of the rounds' own ratios. */
  readonly ratios: Readonly<Record<string, number>>
  readonly bars: readonly {
    readonly than: string
    readonly ratio: number
    readonly isReached: boolean
  }[]
  readonly rounds: Rates
}

export interface Report {
  readonly node: string
  /** Whether the bars are stated for this Node. */
  readonly isReference: boolean
  readonly cpu: string
  readonly cores: number
  readonly rounds: number
  readonly seconds: number
  readonly rows: readonly RowReport[]
}

export function reportRow(row: Row, rates: Rates): RowReport {
  const callsPerSecond: Record<string, number> = {}
  const ratios: Record<string, number> = {}
  const ours = rates[OURS]
  for (const [name, list] of Object.entries(rates)) {
    callsPerSecond[name] = Math.round(median(list))
    if (ours === undefined || name === OURS) continue
    const ratio = median(ours.map((rate, index) => rate / list[index]!))
    ratios[name] = Math.round(ratio * 1000) / 1000
  }
  const bars = row.bars.flatMap(({ than, ratio }) => {
    const reached = ratios[than]
    return reached === undefined ? [] : [{ than, ratio, isReached: reached >= ratio }]
  })
  const { name, title, value } = row
  return { row: name, title, valueSize: sizeOf(value), callsPerSecond, ratios, bars, rounds: rates }
}

export function makeReport(
  rows: readonly RowReport[],
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Report {
  const cores = cpus()
  return {
    node: process.version,
    isReference: process.versions.node.split('.')[0] === String(NODE_MAJOR),
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    rounds,
    seconds,
    rows,
  }
}

export function printReport(report: Report): string {
  const names = [...new Set(report.rows.flatMap((row) => Object.keys(row.callsPerSecond)))]
  const others = names.filter((name) => name !== OURS)
  const header = ['calls/s', ...names, ...others.map((name) => `/ ${name}`), 'to reach']
  const lines = report.rows.map((row) => [
    row.title,
    ...names.map((name) => row.callsPerSecond[name]?.toLocaleString('en') ?? '–'),
    ...others.map((name) => row.ratios[name]?.toFixed(2) ?? '–'),
    row.bars.map(printBar).join(', '),
  ])
  const notes = [
    `Node ${report.node}, ${String(report.cores)} × ${report.cpu}, medians of ` +
      `${String(report.rounds)} rounds of ${String(report.seconds)} s`,
  ]
  if (!report.isReference) {
    notes.push(
      `The bars are stated for Node ${String(NODE_MAJOR)}; bench/README.md says how to run on it.`,
    )
  }
  return [printTable([header, ...lines]), '', ...notes].join('\n')
}

function printBar({ than, ratio, isReached }: RowReport['bars'][number]): string {
  return `${isReached ? '✓' : '✗'} ${String(ratio)} × ${than}`
}

function printTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_cell, column) =>
    Math.max(...rows.map((row) => row[column]!.length)),
  )
  const last = widths.length - 1
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 || column === last
            ? cell.padEnd(widths[column]!)
            : cell.padStart(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
