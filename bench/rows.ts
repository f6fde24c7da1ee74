/** The rows of the table, each with the bars that it has to reach. */
import type { Connection, Count } from './contender.js'
import { drive, driveBursts, driveEach } from './load.js'

/** How many times another contender's figure ours has to be; without another, the figure itself. */
export interface Bar {
  readonly than: string | null
  readonly ratio: number
  /** Not to be exceeded: less is better. */
  readonly isMost?: boolean
}

export interface Row {
  readonly name: string
  readonly title: string
  readonly value: 'small' | 'object' | 'bytes'
  readonly connections: number
  readonly bars: readonly Bar[]
  /** Contenders that have no way of their own to do this. */
  readonly without: readonly string[]
  measure(connections: readonly Connection[], seconds: number): Promise<Count>
}

const SINGLE: readonly Bar[] = bars(0.95, 2)
const MANY: readonly Bar[] = bars(3, 10)

export const ROWS: readonly Row[] = [
  row('one', 'one call at a time', 'small', SINGLE, ([connection], seconds) =>
    drive(connection!.echo, { value: 'small', inFlight: 1, seconds }),
  ),
  row('flight', '64 in flight', 'small', MANY, ([connection], seconds) =>
    drive(connection!.echo, { value: 'small', inFlight: 64, seconds }),
  ),
  row('bursts', 'bursts of 1000', 'small', MANY, ([connection], seconds) =>
    driveBursts(connection!.echo, { value: 'small', inFlight: 1000, seconds }),
  ),
  {
    ...row('server', 'server calls client, 64 in flight', 'small', MANY, ([connection], seconds) =>
      connection!.drive({ value: 'small', inFlight: 64, seconds }),
    ),
    without: ['tRPC'],
  },
  row('object', '16 kB object, 8 in flight', 'object', bars(0.9, 1.5), ([connection], seconds) =>
    drive(connection!.echo, { value: 'object', inFlight: 8, seconds }),
  ),
  {
    ...row(
      'bytes',
      '64 kB of bytes, 8 in flight',
      'bytes',
      [
        { than: 'capnweb', ratio: 3 },
        { than: 'socket.io', ratio: 1 },
      ],
      ([connection], seconds) => drive(connection!.echo, { value: 'bytes', inFlight: 8, seconds }),
    ),
    without: ['birpc', 'tRPC'],
  },
  {
    ...row('connections', '100 connections, one call each', 'small', SINGLE, (all, seconds) =>
      driveEach(all, { value: 'small', inFlight: 1, seconds }),
    ),
    connections: 100,
  },
]

function row(
  name: string,
  title: string,
  value: Row['value'],
  barsOfRow: readonly Bar[],
  measure: Row['measure'],
): Row {
  return { name, title, value, connections: 1, bars: barsOfRow, without: [], measure }
}

function bars(handWritten: number, capnweb: number): readonly Bar[] {
  return [
    { than: 'hand-written', ratio: handWritten },
    { than: 'capnweb', ratio: capnweb },
  ]
}
