import { useEffect, useState } from 'react'
import { Face } from '../face.js'

export interface Account {
  readonly username: string
  readonly password: string
  readonly note: string
}

interface AccountsProps {
  readonly isBusy: boolean
  readonly onChoose: (account: Account) => void
}

/** The accounts of the demo's own database, to log in with one click; nothing beside anybody else's database. */
export function Accounts({ isBusy, onChoose }: AccountsProps) {
  const [accounts, setAccounts] = useState<readonly Account[]>([])

  useEffect(() => {
    const gone = new AbortController()
    void fetch('/accounts', { signal: gone.signal })
      .then((response) => response.json())
      .then(setAccounts)
      // Without them the form still works, and says what is wrong with the server.
      .catch(() => undefined)
    return () => gone.abort()
  }, [])

  if (accounts.length === 0) return null
  return (
    <section className="accounts" aria-labelledby="accounts-title">
      <h3 id="accounts-title">Or come in as</h3>
      <ul>
        {accounts.map((account) => (
          <li key={account.username}>
            <button type="button" disabled={isBusy} onClick={() => onChoose(account)}>
              <Face username={account.username} />
              <span className="account-name">{account.username}</span>
              <span className="account-note">{account.note}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
