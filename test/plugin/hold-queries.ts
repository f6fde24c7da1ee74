import type { TestContext } from 'node:test'
import type pg from 'pg'

/** Holds every query of a pool from now on, until `go()` or the test's end. */
export function holdQueries(t: TestContext, pool: pg.Pool): { waiting(): number; go(): void } {
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<unknown>
  let open!: () => void
  const gate = new Promise<void>((resolve) => (open = resolve))
  let waiting = 0
  const mock = t.mock.method(pool, 'query', async (...args: unknown[]) => {
    waiting += 1
    await gate
    waiting -= 1
    return query(...args)
  })
  const go = (): void => {
    mock.mock.restore()
    open()
  }
  t.after(go)
  return { waiting: () => waiting, go }
}
