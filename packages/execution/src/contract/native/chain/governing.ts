import { type Address, compareBytes, type Governance, hasRoles, hexToBytes, LIMITS, ROLES, ZERO_ADDRESS } from '@quoin/protocol'
import { SYSTEM_ENTRIES } from '../../../state/system-entries.ts'
import { SYSTEM_RECORDS } from '../../../state/system-records.ts'
import { keyReadGas } from '../../key-gas.ts'
import { readRecord, recordUse } from '../../record.ts'
import { addressOf, type ChainState, chainAction } from './chain-state.ts'

const { governance } = SYSTEM_RECORDS

/** Ends the call unless the governor sent it. */
export function mustGovern(chain: ChainState): Governance {
  const present = chain.record(governance)
  return present.governor === chain.sender ? present : chain.refuse('NotGovernor', chain.sender, present.governor)
}

/** Whether the governor sent the call. */
export const governs = (chain: ChainState): boolean => chain.record(governance).governor === chain.sender

/** Who governs: hand-over in two steps, so that a mistaken address cannot lose the chain. */
export const GOVERNING = {
  offerGovernor: chainAction((chain, to: string, lastHeight: bigint) => {
    const present = mustGovern(chain)
    const height = Number(lastHeight)
    if (addressOf(to) === ZERO_ADDRESS) chain.refuse('Invalid', 'to', 'must not be the zero address')
    if (!Number.isSafeInteger(height) || height < chain.block.number)
      chain.refuse('Invalid', 'lastHeight', `is ${lastHeight}, must be the height of this block or a later one`)
    chain.setRecord(governance, { ...present, offer: { to: addressOf(to), lastHeight: height as typeof chain.block.number } })
    chain.emit('GovernorOffered', to, lastHeight)
  }),
  acceptGovernor: chainAction((chain) => {
    const present = chain.record(governance)
    const { governor: before, offer } = present
    if (offer === undefined || offer.to !== chain.sender)
      return chain.refuse('NotAllowed', chain.sender, 'governance is not offered to it')
    if (chain.block.number > offer.lastHeight) chain.refuse('Refused', `the offer was valid up to block ${offer.lastHeight}`)
    chain.pay(keyReadGas(recordUse(chain.journal, offer.to)))
    const contract = readRecord(chain.journal, offer.to)
    if (contract?.paused === true || (contract?.callers ?? 0) !== 0)
      chain.refuse('Refused', 'a contract that is paused or restricted cannot govern: nobody could reach it')
    const entry = chain.entry(SYSTEM_ENTRIES.account, offer.to)
    if (contract !== undefined && entry !== undefined && hasRoles(entry.roles, ROLES.voter))
      chain.refuse('Refused', 'a contract that votes for an organisation cannot govern: it could not vote any more')
    chain.setRecord(governance, { ...present, governor: offer.to, offer: undefined })
    chain.emit('GovernorChanged', before, offer.to)
  }),
  setParticipants: chainAction((chain, given: readonly string[]) => {
    const present = mustGovern(chain)
    const { length } = given
    if (length > LIMITS.participantsMax)
      chain.refuse('Invalid', 'participants', `has ${length} entries, at most ${LIMITS.participantsMax} are allowed`)
    const participants = [...new Set(given.map(addressOf))].sort(byBytes)
    if (participants.length < length) chain.refuse('Invalid', 'participants', 'has an address twice')
    chain.setRecord(governance, { ...present, participants })
    chain.emit('ParticipantsChanged', participants)
  }),
  governor: chainAction((chain) => chain.record(governance).governor),
  governorOffer: chainAction((chain) => {
    const { offer } = chain.record(governance)
    return offer === undefined ? [ZERO_ADDRESS, 0n] : [offer.to, BigInt(offer.lastHeight)]
  }),
  participants: chainAction((chain) => chain.record(governance).participants),
}

const byBytes = (a: Address, b: Address): number => compareBytes(hexToBytes(a), hexToBytes(b))
