import {
  type Address,
  type Crypto,
  codec,
  concatBytes,
  type Evidence,
  evidenceCodec,
  numberToBytes,
  utf8ToBytes,
} from '@quoin/protocol'
import type { KvReader } from '../../../state/kv.ts'
import { SYSTEM_ADDRESS, SYSTEM_RECORDS, systemFlatKey } from '../../../state/system-records.ts'

/** A message that reports evidence to the chain contract. Anybody may send it, in a transaction or from a contract. */
export interface ReportCall {
  readonly to: Address
  readonly data: Uint8Array
}

/**
 * Gas limit that suffices for a report: two checks of signatures, the entries and calldata, and the roster, which is read and written twice.
 *
 * @param reader the committed state
 */
export function reportGas(reader: KvReader): number {
  const rosterBytes = reader.get(systemFlatKey(SYSTEM_RECORDS.roster.key))?.length ?? 0
  return REPORT_BASE_GAS + ROSTER_BYTE_GAS * rosterBytes
}

const REPORT_BASE_GAS = 400_000
const ROSTER_BYTE_GAS = 85

const WORD = 32

/** Calldata of `reportEquivocation(bytes)`: the selector, the offset of the bytes, their length, and the bytes in whole words. */
export function reportCall(crypto: Crypto, evidence: Evidence): ReportCall {
  const bytes = codec.encode(evidenceCodec, evidence)
  const padding = new Uint8Array((WORD - (bytes.length % WORD)) % WORD)
  const selector = crypto.keccak256(utf8ToBytes('reportEquivocation(bytes)')).subarray(0, 4)
  return { to: SYSTEM_ADDRESS, data: concatBytes(selector, word(WORD), word(bytes.length), bytes, padding) }
}

const word = (value: number): Uint8Array => numberToBytes(value, WORD)
