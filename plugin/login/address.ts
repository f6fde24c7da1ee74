import { isIP, isIPv4 } from 'node:net'
import type { FastifyRequest } from 'fastify'

/**
 * The address that limits count by: IPv4 as it is, IPv6 by its /64, which is one customer's.
 *
 * Some proxies put `ip:port` into X-Forwarded-For, which would be a fresh key for each connection; what is no address at
 * all is replaced by that of the socket.
 */
export function limitAddress(request: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  return normalise(request.ip) ?? normalise(request.socket.remoteAddress ?? '') ?? 'unknown'
}

function normalise(text: string): string | null {
  const bare = text.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')
  const [address = ''] = bare.split('%')
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return mapped
  switch (isIP(address)) {
    case 4:
      return address
    case 6:
      return network64(address)
    default:
      return null
  }
}

function network64(address: string): string {
  // The URL parser writes an IPv6 address in its one canonical form (RFC 5952).
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail = ''] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const zeros = canonical.includes('::') ? 8 - left.length - right.length : 0
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  return `${groups.slice(0, 4).join(':')}::/64`
}
