import { isIPv4, isIPv6 } from 'node:net'

/**
 * Groups IP addresses by their likely owner: an IPv4 address is its own group; an IPv6 address belongs to its /64, because one user gets
 * 2⁶⁴ addresses.
 */
export function addressOwner(ip: string): string {
  const mapped = ip.toLowerCase().startsWith('::ffff:') ? ip.slice('::ffff:'.length) : ip
  if (isIPv4(mapped)) return mapped
  if (!isIPv6(ip)) return ip
  const [head = '', tail] = ip.toLowerCase().replace(/%.*$/, '').split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':')
    // A trailing IPv4 address counts as two groups, but those lie beyond the /64.
    while (groups.length + last.length < 8) groups.push('0')
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
