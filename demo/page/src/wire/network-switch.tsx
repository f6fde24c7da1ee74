import { useStore } from '../store.js'
import type { Network } from './network.js'

/** Pulls this page's network, and puts it back. */
export function NetworkSwitch({ network: { isOn } }: { readonly network: Network }) {
  return (
    <label className="switch">
      <input
        type="checkbox"
        role="switch"
        checked={useStore(isOn)}
        onChange={(event) => isOn.set(event.target.checked)}
      />
      Network
    </label>
  )
}
