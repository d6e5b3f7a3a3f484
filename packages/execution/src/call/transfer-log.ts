import { Address, bigIntToBytes, concatBytes, Hash, hexToBytes, type Log } from '@quoin/protocol'
import type { Transfer } from '../state/journal.ts'

/** Stands for the native currency in logs (ERC-7528). */
export const NATIVE_CURRENCY = Address(`0x${'e'.repeat(40)}`)

/** keccak256 of `Transfer(address,address,uint256)` (ERC-20). */
const TRANSFER_TOPIC = Hash('0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef')

/** A transfer of native currency as an ERC-20 event, for `traceTransfers` of `eth_simulateV1`. */
export const transferLog = ({ from, to, value }: Transfer): Log => ({
  address: NATIVE_CURRENCY,
  topics: [TRANSFER_TOPIC, topicOf(from), topicOf(to)],
  data: bigIntToBytes(value, 32),
})

const topicOf = (address: Address): Hash => Hash(concatBytes(new Uint8Array(12), hexToBytes(address)))
