/**
 * What can be seen of a plugin from outside: messages on `node:diagnostics_channel`, and counts for `stats()`. Nothing of it
 * has a password, a hash, a ticket or a token; docs/observing.md has examples. A channel without subscribers costs nothing.
 */
import { channel } from 'node:diagnostics_channel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type CallWatch, PerspectiveError, RemoteError } from '../broker/index.js'
import { refusalCodeOf } from './answers.js'
import type { DetachReason } from './session/avatar.js'

/** On `fastify-perspective:login`: an answer of a route that gives tickets. */
export interface LoginMessage {
  /** The last part of its path: `login`. */
  readonly route: string
  /** Null where a ticket was given, or the code of the refusal. */
  readonly code: string | null
  /** `checker:id`; null where nobody was recognised. */
  readonly userKey: string | null
  readonly requestId: string
  readonly ip: string
}

/** On `fastify-perspective:admission`: a session that has opened, or an upgrade that was refused. */
export interface AdmissionMessage {
  /** Null for a session, or the code of the refusal. */
  readonly code: string | null
  readonly sessionId: string | null
  readonly userKey: string | null
  readonly requestId: string
  readonly ip: string
}

/** On `fastify-perspective:call`: a call of a page's that is over. */
export interface CallMessage {
  readonly sessionId: string
  readonly userKey: string
  /** As the page said it: of one that was refused it may be any text. Empty: a function. */
  readonly method: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly durationMs: number
  /** Null where it was answered, or the code that the page got, or would have got of a call without answer. */
  readonly code: string | null
}

/** On `fastify-perspective:detach`: a session that has ended, also one that never opened. */
export interface DetachMessage {
  readonly sessionId: string
  readonly userKey: string
  readonly requestId: string
  readonly reason: DetachReason
  /** Milliseconds since its upgrade. */
  readonly ageMs: number
}

/** Counts since the plugin was registered. */
export interface Counts {
  /** Answers of the routes that give tickets. */
  readonly logins: { readonly ok: number; readonly refused: number }
  /** Answers of all routes that were refusals, by their codes. */
  readonly refusals: Readonly<Record<string, number>>
}

interface Identified {
  readonly id: string
  readonly userKey: string
  readonly request: { readonly id: string; readonly ip: string }
}

const LOGIN = channel('fastify-perspective:login')
const ADMISSION = channel('fastify-perspective:admission')
const CALL = channel('fastify-perspective:call')
const DETACH = channel('fastify-perspective:detach')

const SOCKET_ROUTE = 'socket'

export class Observation {
  readonly #refusals = new Map<string, number>()
  #loginsOk = 0
  #loginsRefused = 0

  get counts(): Counts {
    return Object.freeze({
      logins: Object.freeze({ ok: this.#loginsOk, refused: this.#loginsRefused }),
      refusals: Object.freeze(Object.fromEntries(this.#refusals)),
    })
  }

  /** A route has given a ticket. */
  loggedIn(request: FastifyRequest, userKey: string): void {
    this.#loginsOk += 1
    if (LOGIN.hasSubscribers) this.#publishLogin(request, userKey, null)
  }

  /** A route has answered; what it refused is counted. */
  answered(request: FastifyRequest, reply: FastifyReply): void {
    const code = refusalCodeOf(reply)
    if (code === null) return
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1)
    if (routeOf(request) !== SOCKET_ROUTE) {
      this.#loginsRefused += 1
      if (LOGIN.hasSubscribers) this.#publishLogin(request, null, code)
    } else if (ADMISSION.hasSubscribers) {
      const { id: requestId, ip } = request
      const message: AdmissionMessage = { code, sessionId: null, userKey: null, requestId, ip }
      ADMISSION.publish(message)
    }
  }

  #publishLogin(request: FastifyRequest, userKey: string | null, code: string | null): void {
    const { id: requestId, ip } = request
    const message: LoginMessage = { route: routeOf(request), code, userKey, requestId, ip }
    LOGIN.publish(message)
  }
}

function routeOf({ routeOptions: { url = '' } }: FastifyRequest): string {
  return url.slice(url.lastIndexOf('/') + 1)
}

/** Tells that a session has opened. */
export function publishAdmission({ id, userKey, request }: Identified): void {
  if (!ADMISSION.hasSubscribers) return
  const { id: requestId, ip } = request
  const message: AdmissionMessage = { code: null, sessionId: id, userKey, requestId, ip }
  ADMISSION.publish(message)
}

/** Tells that a session has ended. */
export function publishDetach(
  { id, userKey, request }: Identified,
  reason: DetachReason,
  ageMs: number,
): void {
  if (!DETACH.hasSubscribers) return
  const message: DetachMessage = {
    sessionId: id,
    userKey,
    requestId: request.id,
    reason,
    ageMs,
  }
  DETACH.publish(message)
}

/** Watches a call of a session's page, if anybody wants to hear of it. */
export function watchCall(session: Identified, method: string): CallWatch | undefined {
  if (!CALL.hasSubscribers) return undefined
  const startedAt = Date.now()
  const started = performance.now()
  const publish = (code: string | null): void => {
    const { id: sessionId, userKey } = session
    const durationMs = performance.now() - started
    const message: CallMessage = { sessionId, userKey, method, startedAt, durationMs, code }
    CALL.publish(message)
  }
  return (promise, error) => {
    if (error !== null) publish(codeOf(error))
    else if (promise === null) publish(null)
    else {
      promise.then(
        () => {
          publish(null)
        },
        (reason: unknown) => {
          publish(codeOf(reason))
        },
      )
    }
  }
}

/** Of what the application threw only declared errors have a code that the page sees. */
function codeOf(error: unknown): string {
  const isDeclared = error instanceof RemoteError || error instanceof PerspectiveError
  return isDeclared ? error.code : 'PB_ERR_CALL_FAILED'
}
