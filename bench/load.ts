/** Puts load on an echo and checks every answer: a fast wrong answer is worth nothing. */
import type { Connection, Count, DriveOrder, Echo } from './contender.js'

/** What is sent: `make` a value that only call `n` has, `fits` an answer to it. */
interface Value {
  make(n: number): unknown
  fits(answer: unknown, n: number): boolean
}

const OBJECT_ROWS = 128
const BYTE_COUNT = 65_536

const rows = Array.from({ length: OBJECT_ROWS }, (_, index) => ({
  id: index,
  name: `Person number ${String(index)}`,
  mail: `person${String(index)}@example.org`,
  tags: ['reader', 'writer'],
  score: index * 1.25,
  isActive: index % 3 === 0,
}))

const VALUES: Readonly<Record<string, Value>> = {
  small: {
    make: (n) => ({ n, text: 'hello', isOn: true }),
    fits: (answer, n) => {
      const { n: number, text, isOn } = answer as { n: unknown; text: unknown; isOn: unknown }
      return number === n && text === 'hello' && isOn === true
    },
  },
  object: {
    make: (n) => ({ n, rows }),
    fits: (answer, n) => {
      const { n: number, rows: list } = answer as { n: unknown; rows: typeof rows }
      const at = n % OBJECT_ROWS
      // All of the first answers, and of later ones the part that is there in no other.
      return number === n && (n > 8 ? isSame(list[at], rows[at]) : isSame(list, rows))
    },
  },
  bytes: {
    make: (n) => {
      const bytes = new Uint8Array(BYTE_COUNT).fill(n & 0xff)
      new DataView(bytes.buffer).setUint32(BYTE_COUNT - 4, n)
      return bytes
    },
    fits: (answer, n) => {
      if (!(answer instanceof Uint8Array) || answer.byteLength !== BYTE_COUNT) return false
      const view = new DataView(answer.buffer, answer.byteOffset, BYTE_COUNT)
      const last = view.getUint32(BYTE_COUNT - 4)
      return last === n && answer[0] === (n & 0xff) && answer[BYTE_COUNT >> 1] === (n & 0xff)
    },
  },
}

/** How much JSON or bytes a value is, for the table's reader. */
export function sizeOf(name: string): number {
  const value = valueOf(name).make(1)
  return value instanceof Uint8Array ? value.byteLength : JSON.stringify(value).length
}

/** As many calls in flight as asked, each followed by the next, until the time is over. */
export async function drive(echo: Echo, order: DriveOrder): Promise<Count> {
  const value = valueOf(order.value)
  return timed(order.seconds, (isOver, next) =>
    Array.from({ length: order.inFlight }, async () => {
      while (!isOver()) await check(echo, value, next())
    }),
  )
}

/** One call at a time on each of many connections. */
export async function driveEach(
  connections: readonly Connection[],
  order: DriveOrder,
): Promise<Count> {
  const value = valueOf(order.value)
  return timed(order.seconds, (isOver, next) =>
    connections.map(async ({ echo }) => {
      while (!isOver()) await check(echo, value, next())
    }),
  )
}

/** All calls at once, and again when all are answered. */
export async function driveBursts(echo: Echo, order: DriveOrder): Promise<Count> {
  const value = valueOf(order.value)
  return timed(order.seconds, (isOver, next) => [
    (async () => {
      while (!isOver()) {
        await Promise.all(Array.from({ length: order.inFlight }, () => check(echo, value, next())))
      }
    })(),
  ])
}

async function timed(
  seconds: number,
  start: (isOver: () => boolean, next: () => number) => Promise<void>[],
): Promise<Count> {
  let calls = 0
  const begin = performance.now()
  const end = begin + seconds * 1000
  await Promise.all(
    start(
      () => performance.now() >= end,
      () => ++calls,
    ),
  )
  return { calls, seconds: (performance.now() - begin) / 1000 }
}

async function check(echo: Echo, value: Value, n: number): Promise<void> {
  const answer = await echo(value.make(n))
  if (!value.fits(answer, n)) {
    throw new Error(`call ${String(n)}: expected its own value back, got ${show(answer)}`)
  }
}

function valueOf(name: string): Value {
  const value = VALUES[name]
  if (value === undefined) throw new Error(`expected a known value, got ${name}`)
  return value
}

function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}

function show(answer: unknown): string {
  return answer instanceof Uint8Array
    ? `${String(answer.byteLength)} bytes`
    : (JSON.stringify(answer) ?? 'undefined').slice(0, 100)
}
