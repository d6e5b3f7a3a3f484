import { err, ok, type Result } from '@quoin/protocol'
import { parsePeerId } from '../network/node-key.ts'
import type { PeerAddress } from '../powers.ts'

const FORM = /^(\/(?:ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d{1,5})\/p2p\/([^/]+)$/

/**
 * Reads the setting `p2p.bootstrap-peers`.
 *
 * @param items multiaddresses that end with a peer id
 * @returns the peers, each with all its addresses; or which item is wrong and what it must be
 */
export function bootstrapPeers(items: readonly string[]): Result<readonly PeerAddress[], { readonly message: string }> {
  const addresses = new Map<string, string[]>()
  for (const item of items) {
    const [, address, text = ''] = FORM.exec(item) ?? []
    const peerId = parsePeerId(text)
    if (address === undefined || peerId === undefined)
      return err({ message: `${item}: must be a multiaddress with a peer id, such as /ip4/10.0.0.1/tcp/26656/p2p/12D3KooW…` })
    addresses.set(peerId, [...(addresses.get(peerId) ?? []), address])
  }
  return ok([...addresses].map(([peerId, its]) => ({ peerId, addresses: its })))
}
