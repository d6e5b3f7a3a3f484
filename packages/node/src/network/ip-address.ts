import { isIPv4, isIPv6 } from 'node:net'

/** Whom an IP address belongs to as far as one can tell: itself for IPv4, its /64 for IPv6, of which anybody has 2⁶⁴ addresses. */
export function addressOwner(ip: string): string {
  const mapped = ip.toLowerCase().startsWith('::ffff:') ? ip.slice('::ffff:'.length) : ip
  if (isIPv4(mapped)) return mapped
  if (!isIPv6(ip)) return ip
  const [head = '', tail] = ip.toLowerCase().replace(/%.*$/, '').split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':')
    // An IPv4 address at the end takes the place of two groups, which lie beyond the /64.
    while (groups.length + last.length < 8) groups.push('0')
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
