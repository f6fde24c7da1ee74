// What a server that dies has to bear when all of its pages come back.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { DoorServer } from './door-server.js'
import { type Page, enter, until } from './pages.js'

const PAGES = 1000
/** As the plugin says it for so many sessions: a hundred in a second. */
const SPREAD_MS = 10_000

test('door case 60: a thousand pages lose their server: all are back without a password, spread out', async () => {
  const server = await DoorServer.start({ spreadMs: SPREAD_MS })
  after(() => server.close())
  const pages: Page[] = []
  while (pages.length < PAGES) {
    pages.push(...(await Promise.all(Array.from({ length: 50 }, () => enter(server.url)))))
  }
  const logins = server.count('login')
  const firsts: number[] = []
  for (const { session } of pages) {
    const stop = session.subscribe((state) => {
      if (state.name !== 'waiting') return
      firsts.push(state.until.getTime())
      stop()
    })
  }
  await server.crash()
  await until(() => firsts.length === PAGES, 'everybody to hear of it', 10_000)
  // By the pages' own plans, which a slow machine does not change: no second has more than 200 of them.
  firsts.sort((a, b) => a - b)
  const busiest = Math.max(
    ...firsts.map((at, index) => firsts.slice(index).filter((other) => other < at + 1000).length),
  )
  assert.ok(busiest <= 200, `${String(busiest)} in one second`)
  await until(
    () => pages.every(({ session }) => session.state.name === 'open'),
    'everybody to be back',
    60_000,
  )
  assert.equal(server.count('login'), logins)
  await Promise.all(pages.map(({ session }) => session.logout()))
})
