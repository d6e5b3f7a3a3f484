import { type Address, Hash } from '@quoin/protocol'
import { type CodeApproval, SYSTEM_ENTRIES } from '../../../state/system-entries.ts'
import { SYSTEM_ADDRESS } from '../../../state/system-records.ts'
import { keyReadGas } from '../../key-gas.ts'
import { MESSAGE_GAS } from '../../message-gas.ts'
import { readRecord, recordUse } from '../../record.ts'
import { CODE_REGISTRY } from '../code-registry.ts'
import { addressOf, bytesOf, type ChainState, chainAction, idOf } from './chain-state.ts'
import { mustGovern } from './governing.ts'

const { approval: ENTRY } = SYSTEM_ENTRIES

/** Ends the call unless the chain contract is the upgrade authority of a contract. */
function mustBeSystem(chain: ChainState, target: Address): void {
  chain.pay(keyReadGas(recordUse(chain.journal, target)))
  if (readRecord(chain.journal, target)?.authority !== SYSTEM_ADDRESS)
    chain.refuse('Invalid', 'target', 'is not a contract whose upgrade authority is the chain contract')
}

/** Hash of data of any length. */
function hashOf(chain: ChainState, data: Uint8Array): Hash {
  chain.pay(MESSAGE_GAS.creation.hashedByte * data.length)
  return Hash(chain.crypto.keccak256(data))
}

function mustMatch(chain: ChainState, what: string, approved: Hash, given: Hash): void {
  if (approved !== given) chain.refuse('Invalid', what, `has the hash ${given}, the governor approved ${approved}`)
}

const shownApproval = ({ codeHash, dataHash, lastHeight }: CodeApproval) =>
  [bytesOf(codeHash), bytesOf(dataHash), BigInt(lastHeight)] as const

const NO_APPROVAL = [false, new Uint8Array(32), new Uint8Array(32), 0n]

/**
 * New code for the contracts whose upgrade authority is the chain contract: the governor and the system contracts. The governor approves the code by
 * its hash, and anybody applies it in a message of its own. So a container need not fit into a proposal, and the governor's own code can be
 * replaced, which is impossible while it executes a proposal.
 */
export const CODES = {
  approveCode: chainAction((chain, given: string, codeHash: Uint8Array, dataHash: Uint8Array, lastHeight: bigint) => {
    mustGovern(chain)
    const target = addressOf(given)
    mustBeSystem(chain, target)
    const height = Number(lastHeight)
    if (!Number.isSafeInteger(height) || height < chain.block.number)
      chain.refuse('Invalid', 'lastHeight', `is ${lastHeight}, must be the height of this block or a later one`)
    const approval = { codeHash: idOf(codeHash), dataHash: idOf(dataHash), lastHeight: height as CodeApproval['lastHeight'] }
    chain.setEntry(ENTRY, approval, target)
    chain.emit('CodeApproved', given, codeHash, dataHash, lastHeight)
  }),
  withdrawCode: chainAction((chain, given: string) => {
    mustGovern(chain)
    const target = addressOf(given)
    if (chain.entry(ENTRY, target) === undefined) chain.refuse('Refused', 'no code is approved for this contract')
    chain.setEntry(ENTRY, undefined, target)
    chain.emit('CodeWithdrawn', given)
  }),
  applyCode: chainAction((chain, given: string, container: Uint8Array, data: Uint8Array) => {
    const target = addressOf(given)
    const approval = chain.entry(ENTRY, target)
    if (approval === undefined) return chain.refuse('Refused', 'no code is approved for this contract')
    if (chain.block.number > approval.lastHeight)
      chain.refuse('Refused', `the approval was valid up to block ${approval.lastHeight}`)
    mustBeSystem(chain, target)
    if (chain.isUnderWay(target))
      chain.refuse('Refused', 'the contract is on the call stack: apply the code in a message of its own')
    mustMatch(chain, 'container', approval.codeHash, hashOf(chain, container))
    mustMatch(chain, 'data', approval.dataHash, hashOf(chain, data))
    // Before the upgrade, so that the new code's migrate() does not find the approval. If the upgrade fails, it comes back.
    chain.setEntry(ENTRY, undefined, target)
    chain.sendTo(CODE_REGISTRY, 'upgrade', given, container, data)
    chain.emit('CodeApplied', given, bytesOf(approval.codeHash), chain.sender)
  }),
  approvedCode: chainAction((chain, given: string) => {
    const approval = chain.entry(ENTRY, addressOf(given))
    return approval === undefined ? NO_APPROVAL : [true, ...shownApproval(approval)]
  }),
}
