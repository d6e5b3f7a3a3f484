import {
  type Hash,
  LIMITS,
  NODE_KINDS,
  type NodeEntry,
  type NodeKind,
  type RegisteredNode,
  type RosterEntry,
  type ValidatorSet,
} from '@quoin/protocol'
import { SYSTEM_ENTRIES } from '../../../state/system-entries.ts'
import { SYSTEM_RECORDS } from '../../../state/system-records.ts'
import { mustHaveRole } from './accounts.ts'
import { bytesOf, type ChainState, chainAction, idOf } from './chain-state.ts'
import { governs } from './governing.ts'
import { countMembers, organisationOf } from './organisations.ts'

const { nodes: NODES, roster: ROSTER, sets: SETS } = SYSTEM_RECORDS
const { node: NODE } = SYSTEM_ENTRIES

const { peerIdCharsMax, nodeAddressesMax, nodeAddressCharsMax, nodesMax } = LIMITS

const isPrintable = (text: string, max: number): boolean => text.length > 0 && text.length <= max && /^[\x21-\x7e]+$/.test(text)

function checkNode(chain: ChainState, peerId: string, addresses: readonly string[]): void {
  if (!isPrintable(peerId, peerIdCharsMax))
    chain.refuse('Invalid', 'peerId', `must have 1 to ${peerIdCharsMax} printable ASCII characters without spaces`)
  if (addresses.length > nodeAddressesMax)
    chain.refuse('Invalid', 'addresses', `has ${addresses.length} entries, at most ${nodeAddressesMax} are allowed`)
  const wrong = addresses.findIndex((address) => !isPrintable(address, nodeAddressCharsMax))
  if (wrong >= 0)
    chain.refuse(
      'Invalid',
      `addresses[${wrong}]`,
      `must have 1 to ${nodeAddressCharsMax} printable ASCII characters without spaces`,
    )
}

const findNode = (nodes: readonly NodeEntry[], peerId: string): NodeEntry | undefined =>
  nodes.find((node) => node.peerId === peerId)

/** A node's own entry, which costs little to read. A peer id that is too long for a key is no node's. */
export const entryOf = (chain: ChainState, peerId: string): Omit<RegisteredNode, 'peerId'> | undefined =>
  isPrintable(peerId, peerIdCharsMax) ? chain.entry(NODE, peerId) : undefined

const nodeOf = (chain: ChainState, peerId: string): Omit<RegisteredNode, 'peerId'> =>
  entryOf(chain, peerId) ?? chain.refuse('UnknownNode', peerId)

/** The validator whose vote counts in one of the next two heights, or shall count, and that runs on a node. */
function voterOn(chain: ChainState, peerId: string): RosterEntry | undefined {
  const sets = chain.record(SETS)
  const isIn = (set: ValidatorSet, id: Hash): boolean => set.withId(id) !== undefined
  return chain
    .record(ROSTER)
    .find(({ id, peerIds, power }) => peerIds.includes(peerId) && (power > 0 || isIn(sets.next, id) || isIn(sets.afterNext, id)))
}

const sorted = (nodes: readonly NodeEntry[]): readonly NodeEntry[] => nodes.toSorted((a, b) => (a.peerId < b.peerId ? -1 : 1))

/** Machines that the network admits. */
export const NODES_OF_CHAIN = {
  setNode: chainAction((chain, peerId: string, kindName: string, given: Uint8Array, addresses: readonly string[]) => {
    const organisation = idOf(given)
    const kind = NODE_KINDS.find((word): word is NodeKind => word === kindName)
    if (kind === undefined) return chain.refuse('Invalid', 'kind', `must be ${NODE_KINDS.join(' or ')}`)
    checkNode(chain, peerId, addresses)
    organisationOf(chain, organisation)
    const nodes = chain.record(NODES)
    const before = findNode(nodes, peerId)
    if (!governs(chain)) {
      mustHaveRole(chain, organisation, 'admin')
      if (kind !== 'observer' || (before !== undefined && (before.kind !== 'observer' || before.organisation !== organisation)))
        chain.refuse('NotAllowed', chain.sender, 'an admin may only register observers of its own organisation')
    }
    if (before !== undefined && (before.kind !== kind || before.organisation !== organisation)) {
      const voter = voterOn(chain, peerId)
      if (voter !== undefined) chain.refuse('Refused', 'a validator votes from this node')
    }
    if (before === undefined && nodes.length >= nodesMax)
      chain.refuse('Refused', `${nodesMax} nodes are registered, more are not allowed`)
    if (before?.organisation !== organisation) {
      if (before !== undefined) countMembers(chain, before.organisation, -1)
      countMembers(chain, organisation, 1)
    }
    const others = nodes.filter((node) => node.peerId !== peerId)
    chain.setRecord(NODES, sorted([...others, { peerId, kind, organisation }]))
    chain.setEntry(NODE, { kind, organisation, addresses }, peerId)
    chain.emit('NodeChanged', given, peerId, kind, addresses, chain.sender)
  }),
  setNodeAddresses: chainAction((chain, peerId: string, addresses: readonly string[]) => {
    checkNode(chain, peerId, addresses)
    const { kind, organisation } = nodeOf(chain, peerId)
    if (!governs(chain)) mustHaveRole(chain, organisation, 'operator')
    chain.setEntry(NODE, { kind, organisation, addresses }, peerId)
    chain.emit('NodeChanged', bytesOf(organisation), peerId, kind, addresses, chain.sender)
  }),
  removeNode: chainAction((chain, peerId: string) => {
    const { kind, organisation } = nodeOf(chain, peerId)
    if (!governs(chain)) {
      mustHaveRole(chain, organisation, 'admin')
      if (kind !== 'observer')
        chain.refuse('NotAllowed', chain.sender, 'an admin may only remove observers of its own organisation')
    }
    if (voterOn(chain, peerId) !== undefined)
      chain.refuse(
        'Refused',
        'a validator votes from this node: set its power to 0 and wait until it has left the set, or give it other nodes',
      )
    chain.setRecord(
      NODES,
      chain.record(NODES).filter((node) => node.peerId !== peerId),
    )
    chain.setEntry(NODE, undefined, peerId)
    countMembers(chain, organisation, -1)
    chain.emit('NodeRemoved', bytesOf(organisation), peerId, chain.sender)
  }),
  node: chainAction((chain, peerId: string) => {
    const found = entryOf(chain, peerId)
    if (found === undefined) return [false, '', new Uint8Array(32), []]
    return [true, found.kind, bytesOf(found.organisation), found.addresses]
  }),
}
