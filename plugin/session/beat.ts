/** The beat: looks again and again at what admitted the sessions, and ends those whose user no longer belongs here. */
import type { FastifyBaseLogger } from 'fastify'
import { raceDeadline } from '../deadline.js'
import type { Authority, Portal } from '../portal/portal.js'
import { AuthorityWatch } from './authority-watch.js'
import { type RevokeCause, revoked } from './endings.js'
import type { Entry, SessionRegistry } from './sessions.js'

export interface BeatContext {
  readonly registry: SessionRegistry
  readonly portal: Portal
  readonly revalidateSeconds: number
  readonly graceSeconds: number
  readonly log: FastifyBaseLogger
  /** Which of these Django sessions are still there; without it none is asked for. */
  readonly aliveSessions?: ((keys: readonly string[]) => Promise<ReadonlySet<string>>) | undefined
}

/** The connections of one authority: by user id, or by the key of their Django session. */
type Suspects = Map<string, Entry[]>

/** An authority of the app's own may hang; Django's answers, or fails, within 5 s for each 5000 users. */
const ANSWER_MS = 30_000
const SILENCE = `no answer within ${String(ANSWER_MS / 1000)} s`

export class Beat {
  readonly #context: BeatContext
  /** By checker. */
  readonly #watches = new Map<string, AuthorityWatch>()
  /** Of the table of Django's sessions. */
  readonly #sessionsWatch: AuthorityWatch
  #timer: NodeJS.Timeout | undefined
  /** Those that have not answered yet. */
  readonly #asked = new Set<AuthorityWatch>()
  /** The look under way: there is one at a time, and none waits for an authority longer than until the next is due. */
  #looking: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(context: BeatContext) {
    this.#context = context
    this.#sessionsWatch = this.#newWatch('django_session')
  }

  /** Seconds since the longest unconfirmed sessions were confirmed; 0 where there are none. */
  get authorityAge(): number {
    if (this.#context.registry.slots === 0) return 0
    return Math.max(0, ...this.#allWatches().map(({ ageMs }) => ageMs)) / 1000
  }

  start(): void {
    const { revalidateSeconds } = this.#context
    this.#timer = setTimeout(
      () => {
        void this.look().then(() => {
          if (!this.#isStopped) this.start()
        })
      },
      revalidateSeconds * 1000 * (0.9 + Math.random() * 0.2),
    )
    this.#timer.unref()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    for (const watch of this.#allWatches()) watch.stop()
  }

  /** Looks at every session, or at those of some users at once: whoever says so may be anybody. Never rejects. */
  look(userKeys?: readonly string[]): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look(userKeys))
    return this.#looking
  }

  async #look(userKeys: readonly string[] | undefined): Promise<void> {
    if (this.#isStopped) return
    const { authorities, djangoSessions } = this.#gather(userKeys)
    const isWhole = userKeys === undefined
    const { portal, aliveSessions } = this.#context
    if (isWhole) {
      // What nobody depends on has confirmed them all.
      for (const [checker, watch] of this.#watches) {
        if (!authorities.has(checker)) watch.confirmed()
      }
      if (djangoSessions.size === 0) this.#sessionsWatch.confirmed()
    }
    const asked = [...authorities].map(([checker, suspects]) => {
      const ask = (ids: readonly string[]) => portal.revalidate(checker, ids)
      return this.#ask(this.#watchOf(checker), suspects, isWhole, ask, judgeUser)
    })
    if (aliveSessions !== undefined && djangoSessions.size > 0) {
      const watch = this.#sessionsWatch
      asked.push(this.#ask(watch, djangoSessions, isWhole, aliveSessions, judgeSession))
    }
    // The users of one authority do not wait for another that hangs.
    const patienceMs = this.#context.revalidateSeconds * 1000
    await raceDeadline(Promise.all(asked), patienceMs, () => new Error('late')).catch(ignore)
  }

  #allWatches(): AuthorityWatch[] {
    return [...this.#watches.values(), this.#sessionsWatch]
  }

  #watchOf(checker: string): AuthorityWatch {
    let watch = this.#watches.get(checker)
    if (watch === undefined) {
      watch = this.#newWatch(checker)
      this.#watches.set(checker, watch)
    }
    return watch
  }

  #newWatch(name: string): AuthorityWatch {
    return new AuthorityWatch(name, this.#context.graceSeconds * 1000, this.#context.log)
  }

  #gather(userKeys: readonly string[] | undefined): {
    authorities: Map<string, Suspects>
    djangoSessions: Suspects
  } {
    const authorities = new Map<string, Suspects>()
    const djangoSessions: Suspects = new Map()
    for (const [userKey, entries] of this.#context.registry.byUser(userKeys)) {
      const colon = userKey.indexOf(':')
      const checker = userKey.slice(0, colon)
      let suspects = authorities.get(checker)
      if (suspects === undefined) authorities.set(checker, (suspects = new Map<string, Entry[]>()))
      for (const entry of entries) {
        const { isProven, sessionKey } = entry
        if (!isProven) continue
        add(suspects, userKey.slice(colon + 1), entry)
        if (sessionKey !== null) add(djangoSessions, sessionKey, entry)
      }
    }
    return { authorities, djangoSessions }
  }

  async #ask<Answer extends { readonly size: number }>(
    watch: AuthorityWatch,
    suspects: Suspects,
    isWhole: boolean,
    ask: (keys: readonly string[]) => Promise<Answer | null>,
    judge: (answer: Answer, key: string, suspect: Entry) => RevokeCause | null,
  ): Promise<void> {
    if (suspects.size === 0 || this.#asked.has(watch)) return
    this.#asked.add(watch)
    const found: [Entry, RevokeCause][] = []
    try {
      const asked = ask([...suspects.keys()])
      const answer = await raceDeadline(asked, ANSWER_MS, () => new Error(SILENCE))
      if (this.#isStopped) return
      // A checker that cannot be asked vouches for its users for as long as their sessions last.
      if (answer !== null) {
        if (!watch.isPlausible(suspects.size, answer.size)) return
        for (const [key, all] of suspects) {
          for (const suspect of all) {
            const cause = judge(answer, key, suspect)
            if (cause !== null) found.push([suspect, cause])
          }
        }
      }
      if (isWhole) watch.confirmed()
    } catch (error) {
      const entries = [...suspects.values()].flat()
      if (!this.#isStopped) watch.missed(error, entries)
    } finally {
      this.#asked.delete(watch)
    }
    for (const [entry, cause] of found) entry.end(revoked(cause))
  }
}

const ignore = (): void => undefined

function add(suspects: Suspects, key: string, suspect: Entry): void {
  const all = suspects.get(key)
  if (all === undefined) suspects.set(key, [suspect])
  else all.push(suspect)
}

function judgeUser(
  authorities: ReadonlyMap<string, Authority>,
  id: string,
  entry: Entry,
): RevokeCause | null {
  const authority = authorities.get(id)
  if (authority === undefined) return 'deleted'
  if (!authority.isActive) return 'deactivated'
  if (!entry.isBoundTo(authority.digest)) return 'credentials-changed'
  entry.refreshed(authority)
  return null
}

function judgeSession(alive: ReadonlySet<string>, key: string): RevokeCause | null {
  return alive.has(key) ? null : 'session-ended'
}
