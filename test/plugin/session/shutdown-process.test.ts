// A real process that gets SIGTERM under load: running calls end, everybody is told, and it is gone in ten seconds.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startDjango } from '../django/start-django.js'
import { type RawSession, openRaw, openWire, ticketOf, until, upgradeText } from '../start-app.js'

const { url: databaseUrl } = await startDjango()

interface Server {
  readonly url: string
  readonly port: number
  /** What it says at its end. */
  readonly last: () => {
    attached: number
    detached: number
    detachedTwice: number
    ended: number
    cut: number
    reasons: Record<string, number>
    tookMs: number
  }
  output(): string
  /** Sends SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>
}

async function startServer(host = '127.0.0.1'): Promise<Server> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('./server-under-load.ts', import.meta.url))],
    {
      env: { ...process.env, DATABASE_URL: databaseUrl, HOST: host },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  after(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (data) => (output += String(data)))
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve))
  await until(() => output.includes('\n'), 'the server', 60_000)
  const url = output.trim()
  return {
    url,
    port: Number(new URL(url).port),
    output: () => output,
    last: () => JSON.parse(output.trim().split('\n').at(-1) ?? '') as ReturnType<Server['last']>,
    terminate: () => {
      child.kill('SIGTERM')
      return exited
    },
  }
}

async function open(server: Server, n: number): Promise<RawSession> {
  const session = await openRaw(server, await ticketOf(server, n))
  await session.frame('username')
  return session
}

describe('SIGTERM', () => {
  test(
    '200 sessions, 20 dead peers, running calls: 1001 and a hint, each detached once, gone in 10 s (door case 71)',
    { timeout: 170_000 },
    async () => {
      const server = await startServer()
      const sessions: RawSession[] = []
      for (let n = 0; n < 180; n += 10) {
        sessions.push(
          ...(await Promise.all(
            Array.from({ length: 10 }, (_, m) => open(server, 1 + ((n + m) % 3))),
          )),
        )
      }
      const dead = []
      for (let n = 0; n < 20; n++) {
        const wire = await openWire(
          server,
          upgradeText(await ticketOf(server, 1 + (n % 3)), {}, 'GET /socket HTTP/1.1'),
        )
        await until(() => wire.text().includes(' 101 '), 'the 101', 20_000)
        wire.socket.write(Buffer.from('8187000000005b5b302c305d5d', 'hex'))
        await until(() => wire.text().includes('username'), 'the hello', 20_000)
        wire.socket.pause()
        dead.push(wire)
      }
      // Calls that end in time, calls that do not, calls without answer, and some that go on and on calling.
      for (const [index, { socket }] of sessions.entries()) {
        if (index % 4 === 0) socket.send('[[1,1,0,"work",[1000]]]')
        if (index % 4 === 1) socket.send('[[1,1,0,"ping",[]]]')
        if (index % 40 === 2) socket.send('[[1,1,0,"work",[60000]]]')
        if (index % 4 === 3) socket.send('[[2,0,"work",[500]]]')
      }
      const loads = sessions.filter((_, index) => index % 4 === 1)
      await Promise.all(loads.map((session) => session.frame('"pong"')))
      await sessions[0]?.frame('username')
      let id = 1
      const load = setInterval(() => {
        id += 1
        for (const { socket } of loads) socket.send(`[[1,${String(id)},0,"ping",[]]]`)
      }, 20)
      const exited = server.terminate()
      const closed = await Promise.all(sessions.map((session) => session.closed))
      clearInterval(load)
      assert.equal(await exited, 0, server.output())
      for (const { code, reason } of closed) {
        assert.equal(code, 1001)
        assert.deepEqual(JSON.parse(reason), { after: [1, 5] })
      }
      const { attached, detached, detachedTwice, ended, cut, reasons, tookMs } = server.last()
      assert.deepEqual(
        { attached, detached, detachedTwice, reasons },
        { attached: 200, detached: 200, detachedTwice: 0, reasons: { closing: 200 } },
      )
      assert.equal(ended, 90, 'running calls have ended')
      assert.equal(cut, 5, 'the long ones are told that nobody waits')
      assert.ok(tookMs < 10_000, `${String(tookMs)} ms`)
      // Whoever asked for something that takes a second has the answer.
      const answered = sessions.filter((_, index) => index % 4 === 0)
      assert.ok(answered.every(({ frames }) => frames.some((frame) => frame.includes('"done"'))))
      assert.doesNotMatch(server.output(), /unhandled/)
      for (const { socket } of dead) socket.destroy()
    },
  )

  test(
    'listening on localhost: sockets of ::1 and of 127.0.0.1 both end (door case 78)',
    { timeout: 100_000, skip: needsIpv6() },
    async () => {
      const server = await startServer('localhost')
      const all: RawSession[] = []
      for (const host of ['127.0.0.1', '[::1]']) {
        const one = { ...server, url: `http://${host}:${String(server.port)}` }
        all.push(await open(one, 1))
      }
      const exited = server.terminate()
      for (const { closed } of all) assert.equal((await closed).code, 1001)
      assert.equal(await exited, 0)
      assert.deepEqual(server.last().reasons, { closing: 2 })
    },
  )
})

function needsIpv6(): string | false {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  return addresses.some(({ address }) => address === '::1') ? false : 'no ::1: switch IPv6 on'
}
