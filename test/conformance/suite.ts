// One conversation for every carrier: what a page says to a server, and what must come of it.
import { Cacheable, RemoteError, reference } from 'fastify-perspective/broker'

type Call = (...args: unknown[]) => Promise<unknown> & Any
export interface Any {
  readonly [name: string]: Call
}

class Score extends Cacheable<{ readonly points: number }> {
  add(points: number): void {
    this.update({ points: this.state.points + points })
  }
}

/** What the server offers; `mind` is the page's own object. */
export function makeServer(mind: () => unknown): object {
  const score = new Score({ points: 0 })
  const board = reference({ rename: (title: string) => `renamed to ${title}` } as never)
  return reference({
    echo: (value: unknown) => value,
    ask: async (question: string) => (mind() as Any)['ask']?.(question),
    board: () => board,
    isBoard: (value: unknown) => value === board,
    each: async (callback: (value: number) => Promise<number>) =>
      (await callback(1)) + (await callback(2)),
    fail: (isMeant: boolean) => {
      throw isMeant ? new RemoteError('FULL', 'no room', { seats: 0 }) : new Error('secret')
    },
    count: async function* (to: number) {
      for (let index = 0; index < to; index++) yield await Promise.resolve({ index })
    },
    sum: async (stream: AsyncIterable<number>) => {
      let sum = 0
      for await (const value of stream) sum += value
      return sum
    },
    score: () => score,
    add: (points: number) => {
      score.add(points)
    },
    wait: async (signal: AbortSignal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          resolve(null)
        })
      }),
  } as never)
}

/** The mind: what the page offers. */
export const makeMind = (): object =>
  reference({ ask: (question: string) => `${question}? Yes.` } as never)

/**
 * The page's half. It runs in a browser, too, where it arrives as text: it may use nothing but its argument.
 *
 * @returns What must be {@link EXPECTED}, as JSON.
 */
export async function converse(root: unknown): Promise<unknown> {
  type Loose = Record<string, (...args: unknown[]) => Promise<unknown>>
  const remote = root as Loose
  const call = async (target: unknown, name: string, ...args: unknown[]): Promise<unknown> =>
    (target as Loose)[name]!(...args)
  const failure = async (promise: Promise<unknown>): Promise<unknown> => {
    try {
      return await promise
    } catch (error) {
      if (typeof error === 'string') return error
      const { name, code, message, data } = error as {
        name: string
        code: string
        message: string
        data: unknown
      }
      return [name, code, message.includes('secret') ? 'told' : 'kept', data ?? null]
    }
  }
  const values = [
    undefined,
    NaN,
    -0,
    new Date(5),
    2n ** 80n,
    new Map([['a', new Set([1])]]),
    new Uint8Array([1, 2]),
    ['$u'],
    { a: [null, 'é😀'] },
  ]
  const back = (await call(remote, 'echo', values)) as typeof values
  const [board, sameBoard] = [await call(remote, 'board'), await call(remote, 'board')]
  const pipelined = remote['board']!() as unknown as Loose
  const counted: unknown[] = []
  for await (const item of (await call(remote, 'count', 3)) as AsyncIterable<unknown>)
    counted.push(item)
  const score = (await call(remote, 'score')) as {
    state: { points: number }
    subscribe(listener: () => void): () => void
  }
  const changed = new Promise<void>((resolve) => {
    score.subscribe(() => {
      resolve()
    })
  })
  await call(remote, 'add', 5)
  await changed
  const controller = new AbortController()
  const waiting = failure(call(remote, 'wait', controller.signal))
  await call(remote, 'echo', 1)
  controller.abort('enough')
  return {
    values: back.map(
      (value) =>
        Object.prototype.toString.call(value) +
        (typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? '')),
    ),
    asked: await call(remote, 'ask', 'there'),
    sameHandle: board === sameBoard,
    home: await call(remote, 'isBoard', board),
    pipelined: await call(pipelined, 'rename', 'mine'),
    each: await call(remote, 'each', (value: number) => value * 10),
    declared: await failure(call(remote, 'fail', true)),
    undeclared: await failure(call(remote, 'fail', false)),
    unknown: await failure(call(remote, 'nothing')),
    unsendable: await failure(call(remote, 'echo', Symbol('no'))),
    counted,
    sum: await call(
      remote,
      'sum',
      (async function* () {
        yield 1
        yield 2
        yield await Promise.resolve(3)
      })(),
    ),
    score: score.state,
    aborted: await waiting.catch((reason: unknown) => reason),
  }
}

export const EXPECTED = {
  values: [
    '[object Undefined]',
    '[object Number]null',
    '[object Number]0',
    '[object Date]"1970-01-01T00:00:00.005Z"',
    '[object BigInt]1208925819614629174706176',
    '[object Map]{}',
    '[object Uint8Array]{"0":1,"1":2}',
    '[object Array]["$u"]',
    '[object Object]{"a":[null,"é😀"]}',
  ],
  asked: 'there? Yes.',
  sameHandle: true,
  home: true,
  pipelined: 'renamed to mine',
  each: 30,
  declared: ['RemoteError', 'FULL', 'kept', { seats: 0 }],
  undeclared: ['CallError', 'PB_ERR_CALL_FAILED', 'kept', null],
  unknown: ['CallError', 'PB_ERR_CALL_UNKNOWN_METHOD', 'kept', null],
  unsendable: ['UnsendableError', 'PB_ERR_CALL_UNSENDABLE', 'kept', null],
  counted: [{ index: 0 }, { index: 1 }, { index: 2 }],
  sum: 6,
  score: { points: 5 },
  aborted: 'enough',
}
