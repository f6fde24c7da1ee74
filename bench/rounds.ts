/** Measures a row: every contender once a round, in an order that rotates, so that a slow moment hits all alike. */
import type { Connection, Contender, Count } from './contender.js'
import type { Row } from './rows.js'

/** Each contender's figures, calls per second in most rows, one for each round. */
export type Rates = Readonly<Record<string, readonly number[]>>

/** How long a measurement may take beyond its time: the last calls of a burst, and a busy machine. */
const GRACE_SECONDS = 10

export async function measureRow(
  row: Row,
  contenders: readonly Contender[],
  ports: Readonly<Record<string, number>>,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Rates> {
  const able = contenders.filter(({ name }) => !row.without.includes(name))
  const measures = able.map((contender): [string, () => Promise<number>] => [
    contender.name,
    () => measure(row, contender, ports[contender.name]!, seconds),
  ])
  return measureRounds(Object.fromEntries(measures), rounds)
}

export async function measureRounds(
  measures: Readonly<Record<string, () => Promise<number>>>,
  rounds: number,
): Promise<Rates> {
  const names = Object.keys(measures)
  const rates: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]))
  // The first round warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (let index = 0; index < names.length; index++) {
      const name = names[(index + round) % names.length]!
      const rate = await measures[name]!()
      if (round > 0) rates[name]!.push(rate)
    }
  }
  return rates
}

async function measure(
  row: Row,
  contender: Contender,
  port: number,
  seconds: number,
): Promise<number> {
  const connections: Connection[] = []
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const limit = seconds + GRACE_SECONDS
    timer = setTimeout(() => reject(new Error(`no end after ${String(limit)} s`)), limit * 1000)
  })
  const run = async (): Promise<Count> => {
    for (let index = 0; index < row.connections; index++) {
      connections.push(await contender.connect(port))
    }
    return row.measure(connections, seconds)
  }
  try {
    const { calls, seconds: spent } = await Promise.race([run(), late])
    return calls / spent
  } catch (error) {
    throw new Error(`${row.title}: ${contender.name} failed`, { cause: error })
  } finally {
    clearTimeout(timer)
    for (const connection of connections) connection.close()
  }
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
