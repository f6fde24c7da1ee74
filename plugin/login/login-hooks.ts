/** What an app has to say about a login: before the check, after success, after failure. */
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { PerspectiveError } from '../../broker/index.js'
import { logError } from '../answers.js'
import { raceDeadline } from '../deadline.js'
import type { User } from '../django/index.js'
import { InternalError } from '../errors.js'

/** What a hook may know of a login. No password, no field of the credentials, and nothing of why one has failed. */
export interface LoginAttempt {
  /** `type` of the credentials: `password`, or one of a checker of your own. */
  readonly type: string
  /** Name of the checker that takes them: `django`, or your own. */
  readonly checker: string
  /**
   * The account that guesses are counted by, in the one form of all the spellings that reach it: stripped, NFKC, upper
   * case with `iexact`. Somebody's, or nobody's. Null: the checker names none.
   */
  readonly accountName: string | null
  readonly ip: string
  readonly headers: IncomingHttpHeaders
  /** Fastify's `request.id`, as in every log line of the request. */
  readonly requestId: string
  /** Aborts when the hook has had its 5 seconds, or nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/**
 * Each has 5 seconds and is awaited. Throw {@link LoginRefusedError} to refuse: it is the answer. Whatever else is thrown,
 * or a hook that takes too long, refuses the login too: with 500, of which the log alone says why.
 */
export interface LoginHooks {
  /**
   * Before the user is looked for and before any hash, for names that exist and names that do not; after the rate limits.
   * The place of a lockout: an answer that depends on whether there is such a user would tell everybody.
   */
  readonly beforeCheck?: (attempt: LoginAttempt) => void | Promise<void>
  /**
   * After the credentials were right, before anything is written and before there is a ticket. The place of a second
   * factor; `user` is the row as it was read.
   */
  readonly succeeded?: (attempt: LoginAttempt, user: User) => void | Promise<void>
  /** After the credentials were refused, for whatever cause: unknown, wrong, unusable and inactive look alike. */
  readonly failed?: (attempt: LoginAttempt) => void | Promise<void>
}

/** A login hook throws it to refuse a login; the page gets code, message and `retryAfter` as they are. */
export class LoginRefusedError extends PerspectiveError {
  /** Of the HTTP answer. */
  readonly statusCode: 403 | 429
  /** Whole seconds, for `Retry-After`. */
  readonly retryAfterSeconds?: number

  /**
   * @param message - For people; everybody who tries may read it.
   * @throws TypeError - a code that does not begin with `PB_ERR_`: the client believes no other; a status or a time that
   *   is none.
   */
  constructor(
    message: string,
    {
      code = 'PB_ERR_LOGIN_REFUSED',
      statusCode = 403,
      retryAfterSeconds,
    }: {
      /** `PB_ERR_` and words of your own, by which the page knows what to do. Default `PB_ERR_LOGIN_REFUSED`. */
      readonly code?: string
      /** Default 403. */
      readonly statusCode?: 403 | 429
      readonly retryAfterSeconds?: number
    } = {},
  ) {
    super(code, message)
    if (!/^PB_ERR_[A-Z0-9_]+$/.test(code)) {
      throw new TypeError(`expected a code that begins with PB_ERR_, in capitals, got ${code}`)
    }
    if (![403, 429].includes(statusCode)) {
      throw new TypeError(`expected status 403 or 429, got ${String(statusCode)}`)
    }
    this.statusCode = statusCode
    if (retryAfterSeconds === undefined) return
    if (!(retryAfterSeconds >= 0 && retryAfterSeconds < 1e9)) {
      throw new TypeError(`expected seconds to wait, got ${String(retryAfterSeconds)}`)
    }
    this.retryAfterSeconds = Math.max(1, Math.ceil(retryAfterSeconds))
  }

  static {
    this.prototype.name = 'LoginRefusedError'
  }
}

const HOOK_MS = 5_000

/** Of one login: `attempt` is the same for all of its hooks but for the signal. */
export class LoginHookRunner {
  readonly #hooks: LoginHooks
  readonly #request: FastifyRequest
  readonly #attempt: LoginAttempt

  /** `signal` aborts when nobody waits for the answer. */
  constructor(
    hooks: LoginHooks,
    request: FastifyRequest,
    about: Pick<LoginAttempt, 'type' | 'checker' | 'accountName' | 'signal'>,
  ) {
    const { ip, headers, id: requestId } = request
    this.#hooks = hooks
    this.#request = request
    this.#attempt = { ...about, ip, headers, requestId }
  }

  /** @throws RouteError - the login is refused. So of the other two. */
  beforeCheck(): Promise<void> {
    const { beforeCheck } = this.#hooks
    return this.#run('beforeCheck', beforeCheck)
  }

  succeeded(user: User): Promise<void> {
    const { succeeded } = this.#hooks
    return this.#run('succeeded', succeeded && ((attempt) => succeeded(attempt, user)))
  }

  failed(): Promise<void> {
    const { failed } = this.#hooks
    return this.#run('failed', failed)
  }

  async #run(
    name: keyof LoginHooks,
    hook: ((attempt: LoginAttempt) => void | Promise<void>) | undefined,
  ): Promise<void> {
    if (hook === undefined) return
    const { signal } = this.#attempt
    signal.throwIfAborted()
    // Not AbortSignal.any: Node 20 may collect what it makes before it fires.
    const late = new AbortController()
    const follow = (): void => {
      late.abort(signal.reason)
    }
    signal.addEventListener('abort', follow)
    const attempt = { ...this.#attempt, signal: late.signal }
    try {
      const ran = (async () => hook(attempt))()
      // It may end after its time, or throw then.
      ran.catch(() => undefined)
      await raceDeadline(ran, HOOK_MS, () => new Error(`no end after ${String(HOOK_MS / 1000)} s`))
    } catch (error) {
      late.abort(error)
      // What it waited for has been given up with the request.
      signal.throwIfAborted()
      const { log } = this.#request
      if (!(error instanceof LoginRefusedError)) {
        logError(log, error, `perspective: login hook ${name} failed`)
        throw new InternalError()
      }
      log.info({ code: error.code, hook: name }, 'perspective: a login hook refused')
      throw error
    } finally {
      signal.removeEventListener('abort', follow)
    }
  }
}
