import { BlockList, isIP, isIPv6 } from 'node:net'

const MULTIADDRESS = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})$/

const unspecified = new BlockList()
unspecified.addSubnet('0.0.0.0', 8, 'ipv4')
unspecified.addAddress('::', 'ipv6')

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const holds = (list: BlockList, ip: string): boolean => list.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4')

/**
 * Checks a multiaddress at which other nodes are to reach a node. Loopback is accepted for a development network on one machine.
 *
 * @returns Why other nodes cannot reach it and what to do; undefined if they may be able to.
 */
export function unreachableReason(address: string, isDevelopment: boolean): string | undefined {
  const [, protocol, host, port] = MULTIADDRESS.exec(address) ?? []
  const isName = protocol?.startsWith('dns') === true
  const family = protocol === 'ip4' ? 4 : 6
  if (host === undefined || !(isName ? /^[\w.-]{1,253}$/.test(host) : isIP(host) === family) || Number(port) > 65_535)
    return `${address} is not a valid node address: use a multiaddress such as /ip4/10.0.0.1/tcp/26656 or /dns4/node-a.example.org/tcp/26656`
  if (Number(port) === 0) return `${address} has port 0: give the port that other nodes connect to`
  if (!isName && holds(unspecified, host))
    return `${address} means all interfaces of this machine, which other nodes cannot connect to: use --advertise to give the address at which they reach it, such as /ip4/10.0.0.1/tcp/${port}`
  const isLoopback = isName ? /^(?:.+\.)?localhost\.?$/i.test(host) : holds(loopback, host)
  if (isLoopback && !isDevelopment)
    return `${address} is only reachable from this machine: use --advertise to give the address that other machines use, such as /ip4/10.0.0.1/tcp/${port}, or --development for a network on one machine`
  return undefined
}
