import { type SubmitEvent, useRef, useState } from 'react'
import { useSecondsUntil } from '../use-seconds.js'
import { useStore } from '../store.js'
import type { Network } from '../wire/network.js'
import { NetworkSwitch } from '../wire/network-switch.js'
import { loginTrouble } from '../words.js'
import { type Account, Accounts } from './accounts.js'

interface LoginProps {
  /** Who was here before; empty for a newcomer. */
  readonly username: string
  /** Why the last session ended; empty where that needs no words. */
  readonly why: string
  readonly network: Network
  readonly onLogin: (username: string, password: string) => Promise<void>
}

/** The login card: a Django user's name and password, or one of the demo's accounts. */
export function Login({ username: formerUsername, why, network, onLogin }: LoginProps) {
  const isOnline = useStore(network.isOn)
  const [username, setUsername] = useState(formerUsername)
  const [password, setPassword] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const [trouble, setTrouble] = useState('')
  const [limited, setLimited] = useState({ username: '', until: 0 })
  const waitSeconds = useSecondsUntil(limited.until)
  // The server counts by account: as somebody else the visitor may try at once.
  const mustWait = (name: string) => waitSeconds > 0 && name === limited.username
  const passwordField = useRef<HTMLInputElement>(null)

  async function tryLogin(name: string, secret: string) {
    setIsBusy(true)
    setTrouble('')
    try {
      await onLogin(name, secret)
    } catch (error) {
      const { text, waitSeconds } = loginTrouble(error, name, isOnline)
      setTrouble(text)
      setLimited({ username: name, until: Date.now() + waitSeconds * 1000 })
      setIsBusy(false)
      setPassword('')
      passwordField.current?.focus()
    }
  }

  function submit(event: SubmitEvent) {
    event.preventDefault()
    if (!isBusy && !mustWait(username)) void tryLogin(username, password)
  }

  function choose(account: Account) {
    setUsername(account.username)
    setPassword(account.password)
    if (!mustWait(account.username)) void tryLogin(account.username, account.password)
  }

  return (
    <section className="card" aria-labelledby="login-title">
      <h2 id="login-title">Log in</h2>
      {why !== '' && (
        <p className="why" role="alert">
          {why}
        </p>
      )}
      {!isOnline && <NetworkSwitch network={network} />}
      <form onSubmit={submit}>
        <label className="field">
          User name
          <input
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            autoFocus={formerUsername === ''}
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
        </label>
        <label className="field">
          Password
          <input
            ref={passwordField}
            name="password"
            type="password"
            autoComplete="current-password"
            required
            autoFocus={formerUsername !== ''}
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        <p className="trouble" role="alert">
          {trouble}
          {waitSeconds > 0 && ` Try again in ${String(waitSeconds)} s.`}
        </p>
        <button className="button primary wide" disabled={isBusy || mustWait(username)}>
          {isBusy ? 'Checking the password …' : 'Log in'}
        </button>
      </form>
      <Accounts isBusy={isBusy} onChoose={choose} />
    </section>
  )
}
