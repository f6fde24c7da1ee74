import { parseArgs } from 'node:util'
import { BASELINE, OURS } from './contenders/index.js'
import { pluginRows } from './plugin/rows.js'
import { ROWS } from './rows.js'

export interface Options {
  readonly help: boolean
  readonly json: string | null
  readonly rounds: number
  /** How long one contender is measured in one round of one row. */
  readonly seconds: number
  /** Names of rows; all where empty. */
  readonly only: readonly string[]
  /** How many of the sessions and logins there are in the rows of the plugin. */
  readonly scale: number
  /** Names of contenders in the rows of calls; all where empty. */
  readonly contenders: readonly string[]
  /** The `dist/broker/index.js` of another build of ours. */
  readonly baseline: string | null
}

const ROW_NAMES = [...ROWS, ...pluginRows(1, 1)].map(({ name }) => name)
const CONTENDERS = [OURS, 'hand-written', 'capnweb', 'socket.io', 'birpc', 'tRPC', BASELINE]

export const HELP = `npm run bench -- [options]

  --rounds N         measured rounds, after one to warm up (7)
  --seconds S        for each contender in each round of each row (0.5)
  --only ROW         ${ROW_NAMES.join(', ')}; may be repeated
  --scale F          of the sessions and logins in the rows of the plugin (1)
  --contender NAME   in the rows of calls: ${CONTENDERS.join(', ')}; may be repeated
  --baseline FILE    another build's dist/broker/index.js, as one contender more
  --json FILE        writes the result there, too
  --no-build         on the dist/ that is there`

/** @throws TypeError - an option that is none, or a value that it cannot have; the message says which. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      json: { type: 'string' },
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '0.5' },
      scale: { type: 'string', default: '1' },
      only: { type: 'string', multiple: true, default: [] },
      contender: { type: 'string', multiple: true, default: [] },
      baseline: { type: 'string' },
    },
  })
  const rounds = readPositive('rounds', values.rounds)
  if (!Number.isInteger(rounds)) throw new TypeError('--rounds: expected a whole number')
  checkNames('only', values.only, ROW_NAMES)
  checkNames('contender', values.contender, CONTENDERS)
  return {
    help: values.help,
    json: values.json ?? null,
    rounds,
    seconds: readPositive('seconds', values.seconds),
    scale: readPositive('scale', values.scale),
    only: values.only,
    contenders: values.contender,
    baseline: values.baseline ?? null,
  }
}

function checkNames(option: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new TypeError(`--${option}: expected one of ${known.join(', ')}, got ${unknown}`)
}

function readPositive(name: string, text: string): number {
  const number = Number(text)
  if (number > 0 && Number.isFinite(number)) return number
  throw new TypeError(`--${name}: expected a positive number, got ${text}`)
}
