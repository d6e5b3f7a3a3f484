import { BlockList } from 'node:net'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { PeerAddress, PeerId } from '../powers.ts'
import { isNameKind, type NodeName } from './names.ts'
import { parsePeerId } from './node-key.ts'

/** A listed node with its addresses that can be dialled. */
export interface AdmittedNode {
  readonly peerId: PeerId
  readonly addresses: readonly Multiaddr[]
}

/** The node list, prepared for the gate and the dialer. */
export interface AdmissionList {
  readonly nodes: ReadonlyMap<PeerId, AdmittedNode>
  /** Entries that are not a valid peer id or address. The list comes from chain state, so bad entries are skipped instead of failing. */
  readonly invalid: readonly string[]
  /** Host names in the addresses. */
  readonly names: readonly NodeName[]
  /** Whether this IP (as text, IPv4 or IPv6) is in the list or is a loopback address. Host names are not resolved here. */
  hasIp(ip: string): boolean
  /** Like `hasIp`, but counts a loopback address only if an entry contains it. */
  namesIp(ip: string): boolean
}

/**
 * The nodes that may stay connected. Addresses beyond `addressesPerPeerCountMax` are ignored.
 * @param self this node's peer id, which is left out
 */
export function admissionList(entries: readonly PeerAddress[], self: PeerId, addressesPerPeerCountMax: number): AdmissionList {
  const nodes = new Map<PeerId, AdmittedNode>()
  const invalid: string[] = []
  const ips = new BlockList()
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  const names: NodeName[] = []
  for (const entry of entries) {
    const peerId = parsePeerId(entry.peerId)
    if (peerId === undefined) invalid.push(entry.peerId)
    if (peerId === undefined || peerId === self) continue
    const addresses: Multiaddr[] = []
    for (const text of entry.addresses.slice(0, addressesPerPeerCountMax)) {
      const address = dialAddress(text, peerId)
      if (address === undefined) {
        invalid.push(text)
        continue
      }
      addresses.push(address)
      for (const { name, value } of address.getComponents()) {
        if (value === undefined) continue
        if (isNameKind(name)) names.push({ kind: name, name: value })
        if (name === 'ip4') ips.addAddress(value, 'ipv4')
        if (name === 'ip6') ips.addAddress(value, 'ipv6')
      }
    }
    nodes.set(peerId, { peerId, addresses })
  }
  const has = (list: BlockList, ip: string) => list.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4')
  const namesIp = (ip: string) => has(ips, ip)
  return { nodes, invalid, names, namesIp, hasIp: (ip) => namesIp(ip) || has(loopback, ip) }
}

function dialAddress(text: string, peerId: PeerId): Multiaddr | undefined {
  try {
    const address = multiaddr(text)
    if (address.getComponents().some(({ name }) => name === 'p2p')) return undefined
    return address.encapsulate(`/p2p/${peerId}`)
  } catch {
    // multiaddr can only throw, and here it throws only if the text is not an address.
    return undefined
  }
}
