import type { PeerId } from '../powers.ts'
import type { AdmissionList } from './admission.ts'
import type { NetworkCounters } from './counters.ts'
import type { RefusalLog } from './refusal-log.ts'

/** What libp2p asks about each connection. */
export interface Gate {
  /** Before the handshake; the IP is undefined when the socket has none. */
  allowsIp(ip: string | undefined): boolean
  /** After it. */
  allowsPeer(peer: PeerId): boolean
}

export interface GateRules {
  list(): AdmissionList
  /** Whether a peer is on the list and not banned. */
  allows(peer: PeerId): boolean
  readonly filterByAddress: boolean
  readonly counters: NetworkCounters
  readonly refusals: RefusalLog
}

/** Lets through the peers of the list: by their id, which the handshake proves, and where that is wanted by their address before it. */
export function gateOf({ list, allows, filterByAddress, counters, refusals }: GateRules): Gate {
  return {
    allowsIp(ip) {
      if (!filterByAddress || (ip !== undefined && list().allowsIp(ip))) return true
      counters.refusedByIp++
      refusals.refused(ip ?? 'unknown', 'no registered node has this IP address, and p2p.filter-by-address is on')
      return false
    },
    allowsPeer(peer) {
      if (allows(peer)) return true
      counters.refusedById++
      refusals.refused(
        peer,
        list().nodes.has(peer) ? 'the peer is banned for a while' : "the peer is not in the chain's registry of nodes",
      )
      return false
    },
  }
}
