// What a page can write into the log: little, on one line each, and nothing of its own choice without end.
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { startDjango } from '../plugin/django/start-django.js'
import {
  type RawSession,
  TestAvatar,
  openRaw,
  optionsFor,
  postLogin,
  startApp,
  ticketOf,
  until,
} from '../plugin/start-app.js'

const { pool } = await startDjango()
let fail: () => unknown = () => undefined

class FailingAvatar extends TestAvatar {
  override fail(): void {
    fail()
  }
}
const app = await startApp(optionsFor(pool, { realm: (session) => new FailingAvatar(session) }))
afterEach(() => until(() => app.slots() === 0, 'every slot'))

interface Line {
  readonly level: number
  readonly msg: string
  readonly method?: string
  readonly skipped?: number
  readonly error?: { readonly message: string; readonly stack: string }
}

/** The lines since the last call that speak of failed calls. */
function failures(): Line[] {
  const lines = app.logs.splice(0).map((line) => JSON.parse(line) as Line)
  return lines.filter(({ msg }) => /failed|more calls/.test(msg))
}

async function open(n: number): Promise<RawSession> {
  const session = await openRaw(app, await ticketOf(app, n))
  await session.frame('username')
  failures()
  return session
}

async function close({ socket, closed }: RawSession): Promise<void> {
  socket.close(1000)
  await closed
}

const CONTROLS = 'a\r\n{"level":60}\u001b[2J\u0000\u2028'

describe('the log (door case 26)', () => {
  test('of a thousand failed calls 20 are logged, and at the end how many were not', async () => {
    fail = () => {
      throw new Error('as it should')
    }
    const session = await open(1)
    const calls = Array.from({ length: 1000 }, (_, index) => `[1,${String(index + 1)},0,"fail",[]]`)
    session.socket.send(`[${calls.join()}]`)
    await session.frame('[4,1000,')
    assert.equal(failures().length, 20)
    await close(session)
    await until(() => app.logs.some((line) => line.includes('session ended')), 'the end')
    assert.deepEqual(
      failures().map(({ skipped }) => skipped),
      [980],
    )
  })

  test('tells of no method count as well; another session is logged for itself', async () => {
    const [loud, quiet] = [await open(1), await open(2)]
    loud.socket.send(`[${Array.from({ length: 500 }, () => '[2,0,"none",[]]').join()}]`)
    loud.socket.send('[[1,1,0,"whoAmI",[]]]')
    await loud.frame('"fast1"]')
    assert.equal(failures().length, 20)
    quiet.socket.send('[[1,1,0,"fail",[]]]')
    await quiet.frame('[4,1,')
    assert.equal(failures().length, 1)
    await close(quiet)
    await close(loud)
  })

  test('the next window begins with how many were skipped', async (t) => {
    const session = await open(1)
    const { performance } = globalThis
    const start = performance.now()
    let now = start
    t.mock.method(performance, 'now', () => now)
    const tell = async (times: number, id: number): Promise<void> => {
      const tells = Array.from({ length: times }, () => '[2,0,"none",[]]')
      session.socket.send(`[${[...tells, `[1,${String(id)},0,"whoAmI",[]]`].join()}]`)
      while (!session.frames.some((frame) => frame.includes(`[3,${String(id)},`)))
        await new Promise((resolve) => setImmediate(resolve))
    }
    await tell(25, 1)
    assert.equal(failures().length, 20)
    now = start + 10_001
    await tell(2, 2)
    t.mock.restoreAll()
    assert.deepEqual(
      failures().map(({ skipped }) => skipped),
      [5, undefined, undefined],
    )
    await close(session)
  })

  test('a method of 900 kB and an error that quotes as much are cut', async () => {
    const long = 'x'.repeat(900_000)
    fail = () => {
      throw new Error(`bad: ${long}`)
    }
    const session = await open(1)
    session.socket.send(`[[2,0,"${long}",[]],[1,1,0,"fail",[]]]`)
    await session.frame('[4,1,')
    const lines = failures()
    assert.equal(lines.length, 2)
    assert.ok((lines[0]?.method?.length ?? 0) <= 101)
    for (const line of lines) assert.ok(JSON.stringify(line).length < 40_000)
    await close(session)
  })

  test('line ends, escapes and colours stay inside their line, wherever they come from', async () => {
    fail = () => {
      throw new Error(CONTROLS)
    }
    const session = await open(1)
    app.logs.length = 0
    session.socket.send(`[[2,0,${JSON.stringify(CONTROLS)},[]],[1,1,0,"fail",[]]]`)
    await session.frame('[4,1,')
    await postLogin(app, { username: CONTROLS.replace('\0', ''), password: CONTROLS })
    await postLogin(app, CONTROLS)
    await close(session)
    assert.ok(app.logs.length > 4)
    for (const line of app.logs) {
      // eslint-disable-next-line no-control-regex -- what is looked for
      assert.doesNotMatch(line.trimEnd(), /[\u0000-\u001f\u007f]/)
      assert.ok((JSON.parse(line) as Line).level < 60, line)
    }
  })

  test('headers with line ends never reach a route; an answer quotes nothing that was sent', async () => {
    app.logs.length = 0
    const marker = 'q7marker'
    const { body, headers } = await postLogin(
      app,
      { username: marker, password: marker, [marker]: 1 },
      { 'user-agent': marker, 'x-forwarded-for': marker, referer: marker },
    )
    assert.doesNotMatch(body + JSON.stringify(headers), /q7marker/)
    assert.doesNotMatch(app.logs.join(''), /q7marker/)
  })
})
