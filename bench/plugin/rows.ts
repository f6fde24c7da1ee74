/** The rows that need the plugin, users and a database. */
import { Agent } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { OURS } from '../contenders/index.js'
import { median } from '../rounds.js'
import type { Bar } from '../rows.js'
import { openAudience } from './audience.js'
import { startDjangoSite } from './django-site.js'
import { inParallel } from './parallel.js'
import { AT_ONCE, DJANGO_ITERATIONS, LINUS, type Site, fail } from './site.js'
import { type Storm, weather } from './storm.js'

export interface Running {
  /** By contender: one measurement each. */
  readonly measures: Readonly<Record<string, () => Promise<number>>>
  end?(): Promise<void>
}

/** Why a row cannot be measured here. */
export interface Skipped {
  readonly skipped: string
}

export interface PluginRow {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly bars: readonly Bar[]
  start(site: Site): Promise<Running | Skipped> | Running
}

/** Beside an unknown user: others who are refused, with the name of such a user. Mallory's password is right. */
const CAUSES = [
  ['wrong password', 'linus'],
  ['unusable password', 'nopass'],
  ['inactive user', 'mallory'],
] as const

/** `scale`: how many of the sessions and logins there are, for a run that is to be short. */
export function pluginRows(scale: number, seconds: number): readonly PluginRow[] {
  const count = (full: number): number => Math.max(2, Math.round(full * scale))
  const idle = count(500)
  const minds = count(1000)
  const upgrades = count(300)
  const logins = count(16)
  const refusals = Math.max(1, Math.round(5 * scale))
  const tickets = count(2000)
  const sky = { queued: count(40), pages: count(10), seconds: 4 * seconds }
  return [
    {
      name: 'memory',
      title: `an idle session, of ${String(idle)}`,
      unit: 'bytes',
      bars: [{ than: 'bare ws', ratio: 1.5, isMost: true }],
      start: (site) => ({
        measures: {
          [OURS]: async () => {
            const tickets = await site.mint(idle)
            return memoryOf(site, idle, (index) => site.open(tickets[index]!))
          },
          'bare ws': () => memoryOf(site, idle, () => site.openBare()),
          'socket.io': () => memoryOf(site, idle, () => site.enterRoom()),
        },
      }),
    },
    {
      name: 'broadcast',
      title: `broadcast to ${String(minds)} minds`,
      unit: 'broadcasts/s',
      bars: [{ than: 'socket.io room', ratio: 1 }],
      start: async (site) => {
        const audience = await openAudience(site, minds)
        return audience.running((how) => audience.rate(how, seconds))
      },
    },
    {
      name: 'broadcast-cpu',
      title: `the same, the server's time`,
      unit: 'ms of CPU',
      bars: [{ than: 'socket.io room', ratio: 1, isMost: true }],
      start: async (site) => {
        const audience = await openAudience(site, minds)
        return audience.running((how) => audience.cost(how, seconds))
      },
    },
    {
      name: 'upgrades',
      title: `admitted upgrades, ${String(AT_ONCE)} at once`,
      unit: 'upgrades/s',
      bars: [{ than: 'bare ws', ratio: 0.5 }],
      start: (site) => ({
        measures: {
          [OURS]: async () => {
            const tickets = await site.mint(upgrades)
            return rateOf(site, upgrades, (index) => site.open(tickets[index]!))
          },
          'bare ws': () => rateOf(site, upgrades, () => site.openBare()),
          'ws, jose and a query': async () => {
            const tokens = await site.signTokens(upgrades)
            return rateOf(site, upgrades, (index) => site.openChecked(tokens[index]!))
          },
          'socket.io': () => rateOf(site, upgrades, () => site.enterRoom()),
        },
      }),
    },
    {
      name: 'logins',
      title: `${String(logins)} password logins of ${DJANGO_ITERATIONS.toLocaleString('en')} iterations`,
      unit: 'logins/s',
      bars: [{ than: 'crypto.pbkdf2', ratio: 0.95 }],
      start: (site) => ({
        measures: {
          [OURS]: () => loginRate(site, logins),
          'crypto.pbkdf2': async () => {
            const order = { count: logins, iterations: DJANGO_ITERATIONS }
            return logins / ((await site.server.ask('pbkdf2', order)) as number)
          },
        },
      }),
    },
    {
      name: 'logins-django',
      title: `${String(logins)} of them beside Django's own login view`,
      unit: 'logins/s',
      bars: [{ than: 'Django under gunicorn', ratio: 1 }],
      start: (site) => besideDjango(site, logins),
    },
    {
      name: 'tickets-cookie',
      title: `${tickets.toLocaleString('en')} tickets for a session cookie`,
      unit: 'tickets/s',
      bars: [],
      start: async (site) => {
        const cookie = await site.djangoSession()
        const rate = (where: 'plugin' | 'route') =>
          rateOfRequests(tickets, (agent) => site.exchange(where, cookie, agent))
        return {
          measures: { [OURS]: () => rate('plugin'), 'a route with one query': () => rate('route') },
        }
      },
    },
    {
      name: 'login-causes',
      title: `a refused login of an unknown user, ${String(refusals)} in a row`,
      unit: 'ms',
      bars: CAUSES.flatMap(([cause]) => [
        { than: cause, ratio: 0.9 },
        { than: cause, ratio: 1.1, isMost: true },
      ]),
      start: (site) => ({
        measures: {
          [OURS]: () => refusalMs(site, refusals, 'nobody'),
          ...Object.fromEntries(
            CAUSES.map(([cause, name]) => [cause, () => refusalMs(site, refusals, name)]),
          ),
        },
      }),
    },
    {
      name: 'storm',
      title: `event loop's p99 delay, ${String(sky.queued)} logins queued`,
      unit: 'ms',
      bars: [{ than: null, ratio: 20, isMost: true }],
      start: (site) => stormy(site, sky, ({ delayMs }) => delayMs),
    },
    {
      name: 'storm-calls',
      title: `p99 of a call on ${String(sky.pages)} open sessions, the same`,
      unit: 'ms',
      bars: [],
      start: (site) => stormy(site, sky, ({ callMs }) => callMs),
    },
  ]
}

function stormy(
  site: Site,
  sky: Parameters<typeof weather>[1],
  figure: (storm: Storm) => number,
): Running {
  return {
    measures: {
      [OURS]: async () => figure(await weather(site, sky)),
      'without logins': async () => figure(await weather(site, { ...sky, queued: 0 })),
    },
  }
}

interface Closable {
  close(): unknown
}

async function memoryOf(
  site: Site,
  count: number,
  open: (index: number) => Promise<Closable>,
): Promise<number> {
  const before = (await site.server.ask('memory')) as number
  const opened = await inParallel(count, AT_ONCE, open)
  await setTimeout(100)
  const after = (await site.server.ask('memory')) as number
  await closeAll(site, opened)
  return (after - before) / count
}

async function rateOf(
  site: Site,
  count: number,
  open: (index: number) => Promise<Closable>,
): Promise<number> {
  const begin = performance.now()
  const opened = await inParallel(count, AT_ONCE, open)
  const seconds = (performance.now() - begin) / 1000
  await closeAll(site, opened)
  return count / seconds
}

async function closeAll(site: Site, opened: readonly Closable[]): Promise<void> {
  for (const each of opened) each.close()
  await site.settle()
}

async function besideDjango(site: Site, count: number): Promise<Running | Skipped> {
  const django = await startDjangoSite(site.databaseUrl)
  if ('missing' in django) return { skipped: django.missing }
  return {
    measures: {
      [OURS]: () => loginRate(site, count),
      'Django under gunicorn': () => rateOfRequests(count, (agent) => django.login(LINUS, agent)),
    },
    end: () => django.stop(),
  }
}

/** The median of some refused logins, one after the other. */
async function refusalMs(site: Site, count: number, username: string): Promise<number> {
  const agent = new Agent({ keepAlive: true })
  const times: number[] = []
  for (let n = 0; n < count; n++) {
    const begin = performance.now()
    const answer = await site.login({ username, password: 'man in the middle' }, agent)
    times.push(performance.now() - begin)
    if (answer.status !== 401) fail('a refusal', answer)
  }
  agent.destroy()
  return median(times)
}

function loginRate(site: Site, count: number): Promise<number> {
  return rateOfRequests(count, async (agent) => {
    const answer = await site.login(LINUS, agent)
    if (answer.status !== 200) fail('a ticket', answer)
  })
}

async function rateOfRequests(
  count: number,
  ask: (agent: Agent) => Promise<void>,
): Promise<number> {
  const agent = new Agent({ keepAlive: true })
  const begin = performance.now()
  await inParallel(count, AT_ONCE, () => ask(agent))
  const seconds = (performance.now() - begin) / 1000
  agent.destroy()
  return count / seconds
}
