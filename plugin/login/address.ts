import { isIP, isIPv4 } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** What limits count an address by. */
export interface AddressKeys {
  /** IPv4 as it is, IPv6 by its /64, which is one customer's. */
  readonly own: string
  /** Of IPv6 the /48, which is one site's: four times as much is let through. Null for IPv4. */
  readonly site: string | null
}

/** How much more of one /48 is let through than of one /64. */
export const SITE_FACTOR = 4

/**
 * The keys of the address that a request comes from, as far as `trustProxy` says.
 *
 * Some proxies put `ip:port` into X-Forwarded-For, which would be a fresh key for each connection; what is no address at
 * all is replaced by that of the socket.
 */
export function addressKeys(request: Pick<FastifyRequest, 'ip' | 'socket'>): AddressKeys {
  return (
    keysOf(request.ip) ??
    keysOf(request.socket.remoteAddress ?? '') ?? { own: 'unknown', site: null }
  )
}

/** The network that one customer has, of an address as a request names it; what is no address is its own. */
export function networkOf(ip: string): string {
  return keysOf(ip)?.own ?? ip
}

function keysOf(text: string): AddressKeys | null {
  const bare = text.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')
  const [address = ''] = bare.split('%')
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return { own: mapped, site: null }
  switch (isIP(address)) {
    case 4:
      return { own: address, site: null }
    case 6:
      return networksOf(address)
    default:
      return null
  }
}

function networksOf(address: string): AddressKeys {
  // The URL parser writes an IPv6 address in its one canonical form (RFC 5952).
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail = ''] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const zeros = canonical.includes('::') ? 8 - left.length - right.length : 0
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  const network = (count: number): string =>
    `${groups.slice(0, count).join(':')}::/${String(16 * count)}`
  return { own: network(4), site: network(3) }
}
