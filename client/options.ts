import type { CopyableClass, Limits, Local, WebSocketLike } from '../broker/index.js'

/** For users to merge their own kinds of credentials into: `{ otp: { type: 'otp'; code: string } }`. */

export interface CustomCredentials {}

/** What somebody presents at a login: a user's name and password, or what a checker of the app's takes. */
export type Credentials =
  | {
      /** Tells checkers apart; a password needs none. */
      readonly type?: 'password'
      /** As it would be typed into Django's form; at most 254 characters. */
      readonly username: string
      /** At most 4096 characters. */
      readonly password: string
    }
  /**
   * A password that does not leave the page, for servers with `allowPasswordEquivalentHashes`; costs the page a second or
   * more, and needs https.
   */
  | { readonly type: 'hashed-password'; readonly username: string; readonly password: string }
  /** The session cookie that Django gave this page; the server's option `djangoSessions` takes it. */
  | { readonly type: 'session' }
  /** Nobody in particular; the server's option `anonymous` takes it. */
  | { readonly type: 'anonymous' }
  // eslint-disable-next-line @typescript-eslint/no-redundant-type-constituents -- `never` until somebody merges
  | CustomCredentials[keyof CustomCredentials]

/** A WebSocket class: the page's own, Node's (from 22), or the one of `ws`. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike

/** How long a session that has lost its connection waits before each try. */
export interface ReconnectOptions {
  /** The least wait before a try after a failed one, in ms. Default 250. */
  readonly minDelayMs?: number
  /** The longest wait of the page's own, in ms, 1 hour at most. The server may ask for a longer one. Default 30,000. */
  readonly maxDelayMs?: number
}

/** What a connection can be given beside its mind. */
export interface ConnectionOptions {
  /** Gives up a login that is under way; a session that is open is not touched by it. */
  readonly signal?: AbortSignal
  /**
   * `false`: the session ends with its first connection. Default: it comes back by itself where it can without a password,
   * with the renewal token of its login, with Django's session cookie, or with a ticket that a function fetches.
   */
  readonly reconnect?: false | ReconnectOptions
  /** The quotas of each connection; see `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits>
  /** The classes whose instances cross as copies; the server names the same. */
  readonly copyables?: readonly CopyableClass[]
  /** Milliseconds until a call rejects with `PB_ERR_CALL_TIMEOUT`, unless `withOptions` says otherwise. Default: never. */
  readonly callTimeoutMs?: number
  /** Default: the platform's. Node 20 has none. */
  readonly WebSocket?: WebSocketConstructor
  /** Default: the platform's. */
  readonly fetch?: typeof fetch
}

/** The options of a session whose avatar expects the mind `M`: without one none can be given, else it must be. */
export type SessionOptions<M> = ConnectionOptions &
  ([M] extends [undefined]
    ? { readonly mind?: undefined }
    : undefined extends M
      ? { readonly mind?: Local<NonNullable<M>> }
      : { readonly mind: Local<M> })

export type OptionsArgument<M> =
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- asks whether all is optional
  Record<never, never> extends SessionOptions<M>
    ? [options?: SessionOptions<M>]
    : [options: SessionOptions<M>]
