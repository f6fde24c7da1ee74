/** What the benchmark says: a table to read, and the same as data. */
import { cpus } from 'node:os'
import { OURS } from './contenders/index.js'
import { sizeOf } from './load.js'
import { printTable } from './table.js'
import { type Rates, median } from './rounds.js'
import type { Bar } from './rows.js'

/** The Node that the bars are stated for. */
const NODE_MAJOR = 24

export interface RowReport {
  readonly row: string
  readonly title: string
  readonly unit: string
  /** Length of one value's JSON, or bytes; null where nothing is sent to and fro. */
  readonly valueSize: number | null
  /** Medians of the rounds. */
  readonly figures: Readonly<Record<string, number>>
  /** Ours to each other contender: the median of the rounds' own ratios. */
  readonly ratios: Readonly<Record<string, number>>
  readonly bars: readonly (Bar & { readonly isReached: boolean })[]
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

const CALLS = 'calls/s'

/** What is said of a row; those of calls have a value, the others a unit of their own. */
export interface RowHead {
  readonly name: string
  readonly title: string
  readonly unit?: string
  readonly value?: string
  readonly bars: readonly Bar[]
}

export function reportRow(row: RowHead, rates: Rates): RowReport {
  const figures: Record<string, number> = {}
  const ratios: Record<string, number> = {}
  const ours = rates[OURS]
  for (const [name, list] of Object.entries(rates)) {
    figures[name] = shorten(median(list))
    if (ours === undefined || name === OURS) continue
    const ratio = median(ours.map((rate, index) => rate / list[index]!))
    ratios[name] = Math.round(ratio * 1000) / 1000
  }
  const bars = row.bars.flatMap((bar) => {
    const reached = bar.than === null ? figures[OURS] : ratios[bar.than]
    if (reached === undefined) return []
    return [
      { ...bar, isReached: bar.isMost === true ? reached <= bar.ratio : reached >= bar.ratio },
    ]
  })
  const { name, title, value, unit = CALLS } = row
  const valueSize = value === undefined ? null : sizeOf(value)
  return { row: name, title, unit, valueSize, figures, ratios, bars, rounds: rates }
}

/** Three digits are more than the noise leaves. */
function shorten(figure: number): number {
  return figure >= 100 ? Math.round(figure) : Number(figure.toPrecision(3))
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
  const calls = report.rows.filter(({ unit }) => unit === CALLS)
  const others = report.rows.filter(({ unit }) => unit !== CALLS)
  const notes = [
    `Node ${report.node}, ${String(report.cores)} × ${report.cpu}, medians of ` +
      `${String(report.rounds)} rounds of ${String(report.seconds)} s`,
  ]
  if (!report.isReference) {
    notes.push(
      `The bars are stated for Node ${String(NODE_MAJOR)}; bench/README.md says how to run on it.`,
    )
  }
  const tables = [calls.length > 0 && printCalls(calls), others.length > 0 && printOthers(others)]
  return [...tables.filter((table) => table !== false), notes.join('\n')].join('\n\n')
}

/** A line for each row, all of whose contenders are the same. */
function printCalls(rows: readonly RowReport[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))]
  const others = names.filter((name) => name !== OURS)
  const header = [CALLS, ...names, ...others.map((name) => `/ ${name}`), 'to reach']
  const lines = rows.map((row) => [
    row.title,
    ...names.map((name) => row.figures[name]?.toLocaleString('en') ?? '–'),
    ...others.map((name) => row.ratios[name]?.toFixed(2) ?? '–'),
    row.bars.map(printBar).join(', '),
  ])
  return printTable([header, ...lines])
}

/** A line for each contender that a row compares with. */
function printOthers(rows: readonly RowReport[]): string {
  const header = ['', OURS, 'beside', '', 'ratio', 'to reach']
  const lines = rows.flatMap((row) => {
    const ours = row.figures[OURS]?.toLocaleString('en') ?? '–'
    const own = row.bars.filter(({ than }) => than === null)
    return Object.entries(row.ratios).map(([name, ratio], index) => [
      index === 0 ? `${row.title} (${row.unit})` : '',
      index === 0 ? ours : '',
      row.figures[name]?.toLocaleString('en') ?? '–',
      name,
      ratio.toFixed(2),
      [...(index === 0 ? own : []), ...row.bars.filter(({ than }) => than === name)]
        .map(printBar)
        .join(', '),
    ])
  })
  return printTable([header, ...lines])
}

function printBar({ than, ratio, isMost, isReached }: RowReport['bars'][number]): string {
  const bar = `${isMost === true ? 'at most ' : ''}${String(ratio)}`
  return `${isReached ? '✓' : '✗'} ${bar}${than === null ? '' : ` × ${than}`}`
}
