import type { Received, Session } from 'fastify-perspective/client'
import type { Club, Welcome } from '../../contract.js'
import { Mark } from './mark.js'
import { People } from './people/people.js'
import type { Link } from './session/use-session.js'
import { ThemeSwitch } from './theme-switch.js'
import { useSecondsUntil } from './use-seconds.js'
import { Vista } from './vista.js'
import type { Network } from './wire/network.js'
import { NetworkSwitch } from './wire/network-switch.js'

interface BarProps {
  readonly session: Session<Club>
  readonly link: Link
  readonly welcome: Received<Welcome> | null
  readonly network: Network
}

/** Over everything: who is here, how the line is, and the way out. */
export function Bar({ session, link, welcome, network }: BarProps) {
  return (
    <header className="bar">
      <Vista />
      <h1 className="brand">
        <Mark /> <span>Perspective</span>
      </h1>
      {welcome !== null && <People presence={welcome.presence} userId={session.user.id} />}
      <LinkState link={link} />
      <NetworkSwitch network={network} />
      <ThemeSwitch />
      <button className="button on-field" type="button" onClick={() => void session.logout()}>
        Log out
      </button>
    </header>
  )
}

function LinkState({ link }: { readonly link: Link }) {
  const seconds = useSecondsUntil(link.name === 'waiting' ? link.until.getTime() : 0)
  const words = {
    connecting: 'connecting …',
    open: 'connected',
    waiting: `connection lost, next attempt in ${seconds} s`,
    ended: 'over',
  }
  return (
    <p className="link" data-link={link.name} role="status">
      {words[link.name]}
    </p>
  )
}
